import type { CommandContext } from "@stricli/core";
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "../files/mod.ts";

/** A stream of text with the one property that decides how progress is shown. */
export interface Output {
  readonly write: (text: string) => void;
  /** Whether a person watches: a progress bar is drawn instead of lines. */
  readonly isTerminal: boolean;
}

/** What a command may touch: the outside world is passed in, so tests can replace it. */
export interface CliContext extends CommandContext {
  readonly process: {
    readonly stdout: Output;
    readonly stderr: Output;
    exitCode?: number | string | null;
  };
  /** The folder of the repository: configs/, experiments/, results/, zoo/. */
  readonly root: string;
  /** The folder of the content-addressed artifacts. */
  readonly storeRoot: string;
  /** Aborts on Ctrl-C. */
  readonly interrupt: AbortSignal;
}

/** The run was stopped by Ctrl-C; finished work is in the store. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/**
 * The context of a real process. The artifacts are in .cache/ of the working folder unless the
 * environment variable LG_CAV_STORE names another folder, such as one that several machines share.
 */
export function openContext(): CliContext {
  const root = Deno.cwd();
  const controller = new AbortController();
  Deno.addSignalListener("SIGINT", () => {
    if (controller.signal.aborted) Deno.exit(130);
    controller.abort(new Interrupted("Stopped; the next run goes on from here."));
  });
  return {
    process: { stdout: outputOf(Deno.stdout), stderr: outputOf(Deno.stderr) },
    root,
    storeRoot: storeFolder(root),
    interrupt: controller.signal,
  };
}

/** Where the artifacts are: in the working folder, unless the environment names another folder. */
function storeFolder(root: string): string {
  const named = Deno.env.get("LG_CAV_STORE");
  if (named === undefined) return join(root, ".cache");
  if (named.trim() === "") {
    throw new UserError("LG_CAV_STORE is empty. Name a folder for the store, or unset it.");
  }
  const folder = resolve(root, named);
  const isFile = existsSync(folder) && !statSync(folder).isDirectory();
  if (!isFile) return folder;
  throw new UserError(`LG_CAV_STORE names ${folder}, which is a file. Name a folder.`);
}

function outputOf(stream: typeof Deno.stdout): Output {
  const encoder = new TextEncoder();
  return {
    isTerminal: stream.isTerminal(),
    write: (text) => {
      const bytes = encoder.encode(text);
      try {
        for (let offset = 0; offset < bytes.length;) {
          offset += stream.writeSync(bytes.subarray(offset));
        }
      } catch (error) {
        // The reader has seen enough, as `head` does; nobody is left to tell.
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
        Deno.exit(0);
      }
    },
  };
}
