import { Buffer } from "node:buffer";
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

/** Where a kernel listens; the content of a Jupyter connection file. */
export interface Connection {
  readonly transport: "tcp";
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  readonly key: string;
  readonly signature_scheme: "hmac-sha256";
  readonly kernel_name: string;
}

/** A message of the Jupyter wire protocol 5.3, without its routing prefix and buffers. */
export interface Message {
  readonly header: { readonly msg_id: string; readonly msg_type: string };
  readonly parent_header: { readonly msg_id?: string };
  readonly content: Readonly<Record<string, unknown>>;
}

const delimiter = "<IDS|MSG>";

/** A request with a new id, under the session's name. */
export function request(type: string, content: Message["content"], session: string): Message {
  const header = {
    msg_id: randomUUID(),
    msg_type: type,
    session,
    username: "lg-cav",
    date: new Date().toISOString(),
    version: "5.3",
  };
  return { header, parent_header: {}, content };
}

/** The frames of a message: delimiter, HMAC-SHA256 of the four parts, the four parts. */
export function encodeMessage(message: Message, key: string): Buffer[] {
  const parts = [message.header, message.parent_header, {}, message.content]
    .map((part) => Buffer.from(JSON.stringify(part)));
  return [Buffer.from(delimiter), Buffer.from(signature(parts, key)), ...parts];
}

/**
 * The message in the frames that a kernel sent.
 *
 * @throws {TypeError} when the frames are no message or are signed with another key.
 */
export function decodeMessage(frames: readonly Uint8Array[], key: string): Message {
  const texts = frames.map((frame) => Buffer.from(frame));
  const start = texts.findIndex((text) => text.toString() === delimiter);
  const [signed, ...parts] = texts.slice(start + 1, start + 6);
  if (start < 0 || signed === undefined || parts.length < 4) {
    throw new TypeError(`A Jupyter message of ${frames.length} frames without its parts.`);
  }
  const expected = Buffer.from(signature(parts, key));
  if (signed.length !== expected.length || !timingSafeEqual(signed, expected)) {
    throw new TypeError("A Jupyter message whose signature is not that of the connection's key.");
  }
  const [header, parent, , content] = parts.map((part) => JSON.parse(part.toString()));
  return { header, parent_header: parent, content };
}

function signature(parts: readonly Uint8Array[], key: string): string {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}
