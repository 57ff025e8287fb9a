import { randomUUID } from "node:crypto";
import { type Channels, openChannels } from "./channels.ts";
import { newConnection } from "./connection.ts";
import { execute, type Execution, greet } from "./execute.ts";
import { request } from "./messages.ts";

/** A running Deno kernel. */
export interface Kernel {
  /**
   * Runs code and waits until the kernel is idle again.
   *
   * @throws {Error} when the kernel stops, or is not idle after `timeout` milliseconds; it is of no
   * further use then.
   */
  execute(code: string, options: { readonly timeout: number }): Promise<Execution>;
  /** Stops the kernel: it is asked first, and killed when it has not stopped after a second. */
  close(): Promise<void>;
}

/** Where a kernel runs its code, and how long its start may take, in milliseconds. */
export interface KernelOptions {
  readonly folder: string;
  /** A folder for the connection file, which is gone when the kernel is. */
  readonly scratch: string;
  readonly startTimeout?: number;
}

/**
 * Starts `deno jupyter --kernel` and speaks the Jupyter wire protocol to it, so that a
 * notebook runs without Python and without Jupyter.
 *
 * @throws {Error} when the kernel does not answer in time.
 */
export async function startKernel(
  { folder, scratch, startTimeout = 30_000 }: KernelOptions,
): Promise<Kernel> {
  const connection = newConnection();
  const file = await Deno.makeTempFile({ dir: scratch, prefix: ".kernel-", suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify(connection));
  const process = new Deno.Command(await denoCommand(), {
    args: ["jupyter", "--kernel", "--conn", await Deno.realPath(file)],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const complaint = new Response(process.stderr).text();
  const gone = new AbortController();
  const stopped = process.status.then(async ({ code }): Promise<never> => {
    gone.abort();
    throw new Error(`The Deno kernel stopped with code ${code}. ${(await complaint).trim()}`);
  });
  stopped.catch(() => {});
  const end = async (wait: number) => {
    const killer = setTimeout(() => process.kill("SIGKILL"), wait);
    await process.status;
    clearTimeout(killer);
    await complaint;
    await Deno.remove(file);
  };
  const session = randomUUID();
  let channels: Channels | undefined;
  try {
    const opening = openChannels(connection, { timeout: startTimeout, signal: gone.signal });
    channels = await Promise.race([stopped, opening]);
    await Promise.race([stopped, greet(channels, { session, timeout: startTimeout })]);
  } catch (error) {
    await end(0);
    channels?.close();
    throw error;
  }
  const open = channels;
  return {
    execute: (code, { timeout }) => {
      const execution = execute(open, { code, session, timeout });
      // A kernel that ends closes its connections first; its exit code tells more.
      const lost = (error: unknown) => isConnectionLost(error) ? stopped : Promise.reject(error);
      return Promise.race([stopped, execution.catch(lost)]);
    },
    close: async () => {
      const asked = request("shutdown_request", { restart: false }, session);
      await open.send("control", asked).catch(() => {});
      await end(1000);
      open.close();
    },
  };
}

/**
 * This very Deno where the permissions name it, else the `deno` of PATH: under npx that is a
 * script, whose path is the one that `--allow-run=deno` grants.
 */
async function denoCommand(): Promise<string> {
  const command = Deno.execPath();
  const { state } = await Deno.permissions.query({ name: "run", command });
  return state === "granted" ? command : "deno";
}

function isConnectionLost(error: unknown): boolean {
  return error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
}
