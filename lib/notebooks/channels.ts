import { type Connection, decodeMessage, encodeMessage, type Message } from "./messages.ts";
import { connectZmtp, type ZmtpSocket } from "./zmtp.ts";

/** The client's ends of the three channels it needs. */
export interface Channels {
  send(channel: "shell" | "control", message: Message): Promise<void>;
  /** The next message of iopub; undefined when none came within `timeout` milliseconds. */
  receive(timeout: number): Promise<Message | undefined>;
  close(): void;
}

/**
 * Connects to a kernel as soon as it binds its ports.
 *
 * @throws {Error} when it has not after `timeout` milliseconds, or `signal` says to stop waiting.
 */
export async function openChannels(
  { ip, key, ...ports }: Connection,
  { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<Channels> {
  const opened: ZmtpSocket[] = [];
  const open = async (type: "DEALER" | "SUB", port: number) => {
    const socket = await whenBound(() => connectZmtp(type, { hostname: ip, port }), {
      deadline: Date.now() + timeout,
      signal,
    });
    opened.push(socket);
    return socket;
  };
  const close = () => opened.forEach((socket) => socket.close());
  try {
    const iopub = await open("SUB", ports.iopub_port);
    const shell = await open("DEALER", ports.shell_port);
    const control = await open("DEALER", ports.control_port);
    return { ...exchange({ iopub, shell, control }, key), close };
  } catch (error) {
    close();
    throw error;
  }
}

function exchange(
  { iopub, ...requests }: { iopub: ZmtpSocket; shell: ZmtpSocket; control: ZmtpSocket },
  key: string,
): Pick<Channels, "send" | "receive"> {
  let arriving: Promise<Uint8Array[]> | undefined;
  return {
    send: (channel, message) => requests[channel].send(encodeMessage(message, key)),
    receive: async (timeout) => {
      if (arriving === undefined) {
        arriving = iopub.receive();
        // It is awaited again by the next call; after the last one nobody asks any more.
        arriving.catch(() => {});
      }
      const frames = await within(arriving, timeout);
      if (frames === undefined) return undefined;
      arriving = undefined;
      return decodeMessage(frames, key);
    },
  };
}

async function whenBound<T>(
  connect: () => Promise<T>,
  { deadline, signal }: { readonly deadline: number; readonly signal: AbortSignal },
): Promise<T> {
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      const waiting = error instanceof Deno.errors.ConnectionRefused;
      if (!waiting || signal.aborted || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** What a promise gives; undefined when it is not there after so many milliseconds. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const elapsed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([promise, elapsed]);
  } finally {
    clearTimeout(timer);
  }
}
