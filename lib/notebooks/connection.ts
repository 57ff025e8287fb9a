import { randomUUID } from "node:crypto";
import type { Connection } from "./messages.ts";

/**
 * A connection on free ports of this machine, with a fresh key. Another process may take a port
 * before the kernel binds it; the kernel then stops at once and its start fails.
 */
export function newConnection(): Connection {
  const listeners = Array.from(
    { length: 5 },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const [shell, iopub, stdin, control, heartbeat] = listeners.map(({ addr }) => addr.port);
  listeners.forEach((listener) => listener.close());
  return {
    transport: "tcp",
    ip: "127.0.0.1",
    shell_port: shell!,
    iopub_port: iopub!,
    stdin_port: stdin!,
    control_port: control!,
    hb_port: heartbeat!,
    key: randomUUID(),
    signature_scheme: "hmac-sha256",
    kernel_name: "deno",
  };
}
