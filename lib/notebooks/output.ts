import type { Message } from "./messages.ts";

/** A bundle of one value in several media types; text as lines, JSON types as they are. */
export type MediaBundle = Readonly<Record<string, unknown>>;

/** An output of a code cell, as nbformat 4.5 stores it. */
export type Output =
  | { readonly output_type: "stream"; readonly name: string; readonly text: readonly string[] }
  | { readonly output_type: "display_data"; readonly data: MediaBundle; readonly metadata: unknown }
  | {
    readonly output_type: "execute_result";
    readonly data: MediaBundle;
    readonly metadata: unknown;
    readonly execution_count: number;
  }
  | ErrorOutput;

/** What a cell threw. */
export interface ErrorOutput {
  readonly output_type: "error";
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/**
 * The output that an iopub message carries; undefined for messages that carry none.
 *
 * @throws {Error} when the message would change an earlier output, which is not supported.
 */
export function outputOf({ header, content }: Message): Output | undefined {
  switch (header.msg_type) {
    case "status":
    case "execute_input":
      return undefined;
    case "stream":
      return {
        output_type: "stream",
        name: String(content["name"]),
        text: lines(String(content["text"])),
      };
    case "display_data":
      return {
        output_type: "display_data",
        data: mediaBundle(content["data"]),
        metadata: content["metadata"],
      };
    case "execute_result":
      return {
        output_type: "execute_result",
        data: mediaBundle(content["data"]),
        metadata: content["metadata"],
        execution_count: Number(content["execution_count"]),
      };
    case "error":
      return {
        output_type: "error",
        ename: String(content["ename"]),
        evalue: String(content["evalue"]),
        traceback: content["traceback"] as string[],
      };
    default:
      throw new Error(`it sent ${header.msg_type}, which is not supported here`);
  }
}

/** Neighbouring outputs of one stream as one: how a kernel cuts its text depends on timing. */
export function joinStreams(outputs: readonly Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    const last = joined.at(-1);
    if (
      output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name
    ) {
      const text = lines([...last.text, ...output.text].join(""));
      joined.splice(-1, 1, { ...last, text });
    } else {
      joined.push(output);
    }
  }
  return joined;
}

/** The lines of a text, each with its line end. */
export function lines(text: string): string[] {
  return text.split(/(?<=\n)/).filter((line) => line !== "");
}

function mediaBundle(data: unknown): MediaBundle {
  return Object.fromEntries(
    Object.entries(data as object).map(([type, value]) => {
      const text = typeof value === "string" && (type.startsWith("text/") || type.endsWith("+xml"));
      return [type, text ? lines(value) : value];
    }),
  );
}
