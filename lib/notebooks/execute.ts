import { randomUUID } from "node:crypto";
import type { Channels } from "./channels.ts";
import { type Message, request } from "./messages.ts";
import { type Output, outputOf } from "./output.ts";

/** What a cell gave: its number and its outputs. */
export interface Execution {
  readonly executionCount: number;
  readonly outputs: readonly Output[];
}

/** Under which name, and for how many milliseconds, one talks to a kernel. */
export interface Exchange {
  readonly session: string;
  readonly timeout: number;
}

/**
 * Asks a kernel for its name until the answer is seen on iopub: what it publishes before the
 * subscription reaches it is lost.
 *
 * @throws {Error} when it does not answer in time.
 */
export async function greet(channels: Channels, { session, timeout }: Exchange): Promise<void> {
  const deadline = Date.now() + timeout;
  while (Date.now() < deadline) {
    const asked = request("kernel_info_request", {}, session);
    await channels.send("shell", asked);
    for (let answer; (answer = await channels.receive(500)) !== undefined;) {
      if (isIdle(answer, asked)) return;
    }
  }
  throw new Error(`The Deno kernel did not answer within ${timeout} ms of its start.`);
}

/**
 * Runs code and collects its outputs.
 *
 * The protocol says that "idle" comes last, but Deno's kernel may publish text and results after it.
 * A second, silent request therefore prints and displays a mark; every output that arrives before
 * both marks is the cell's.
 *
 * @throws {Error} when the outputs are not complete in time.
 */
export async function execute(
  channels: Channels,
  { code, session, timeout }: Exchange & { readonly code: string },
): Promise<Execution> {
  const deadline = Date.now() + timeout;
  const mark = randomUUID();
  const asked = executeRequest(code, { session, silent: false });
  await channels.send("shell", asked);
  const outputs: Output[] = [];
  let executionCount = 0;
  let marks = 0;
  while (marks < 2) {
    const message = await channels.receive(deadline - Date.now());
    if (message === undefined) {
      throw new Error(`it was still running after ${timeout / 1000} s`);
    }
    if (isIdle(message, asked)) {
      await channels.send("shell", executeRequest(markCode(mark), { session, silent: true }));
    }
    if (message.header.msg_type === "execute_input" && isAnswer(message, asked)) {
      executionCount = Number(message.content["execution_count"]);
    }
    const [output, marked] = withoutMark(message, mark);
    if (marked) marks++;
    if (output !== undefined) outputs.push(output);
  }
  // The result is what the cell ends with, whenever it was published.
  const isResult = (output: Output) => output.output_type === "execute_result";
  return {
    executionCount,
    outputs: [...outputs.filter((output) => !isResult(output)), ...outputs.filter(isResult)],
  };
}

function executeRequest(
  code: string,
  { session, silent }: { readonly session: string; readonly silent: boolean },
): Message {
  return request("execute_request", {
    code,
    silent,
    store_history: !silent,
    user_expressions: {},
    allow_stdin: false,
    stop_on_error: true,
  }, session);
}

/** Text and displayed values take different ways out of the kernel: one mark on each. */
function markCode(mark: string): string {
  return `console.log("${mark}");
    await new Promise((done) => setTimeout(done));
    await Deno.jupyter.broadcast("display_data", { data: {}, metadata: { mark: "${mark}" } });`;
}

function withoutMark(message: Message, mark: string): [Output | undefined, boolean] {
  const { header, content } = message;
  if (header.msg_type === "stream" && String(content["text"]).includes(mark)) {
    const text = String(content["text"]).replace(`${mark}\n`, "");
    const rest = outputOf({ ...message, content: { ...content, text } });
    return [text === "" ? undefined : rest, true];
  }
  const metadata = content["metadata"] as { mark?: string } | undefined;
  if (header.msg_type === "display_data" && metadata?.mark === mark) return [undefined, true];
  return [outputOf(message), false];
}

function isAnswer(message: Message, asked: Message): boolean {
  return message.parent_header.msg_id === asked.header.msg_id;
}

function isIdle(message: Message, asked: Message): boolean {
  return message.header.msg_type === "status" && message.content["execution_state"] === "idle" &&
    isAnswer(message, asked);
}
