import assert from "node:assert/strict";
import { connectZmtp } from "../../lib/notebooks/mod.ts";

const text = (value: string) => [...new TextEncoder().encode(value)];

/** A greeting as in the specification (RFC 23): version 3.0, mechanism NULL, filler. */
const greeting = [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0, ...text("NULL"), ...Array(48).fill(0)];
const ready = (type: string) => {
  const property = [11, ...text("Socket-Type"), 0, 0, 0, type.length, ...text(type)];
  return [4, 6 + property.length, 5, ...text("READY"), ...property];
};

/** Serves one connection: sends `bytes` in pieces, gives what came until the peer closed. */
function serve(bytes: readonly number[], piece = 7) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received = (async () => {
    const connection = await listener.accept();
    listener.close();
    for (let at = 0; at < bytes.length; at += piece) {
      await connection.write(Uint8Array.from(bytes.slice(at, at + piece)));
    }
    const came: number[] = [];
    const chunk = new Uint8Array(4096);
    for (let got; (got = await connection.read(chunk)) !== null;) {
      came.push(...chunk.subarray(0, got));
    }
    connection.close();
    return came;
  })();
  return { address: { hostname: "127.0.0.1", port: listener.addr.port }, received };
}

Deno.test("connectZmtp() greets, subscribes and frames as the specification says", async () => {
  const { address, received } = serve([...greeting, ...ready("PUB")]);
  const socket = await connectZmtp("SUB", address);
  await socket.send([Uint8Array.of(1, 2), new Uint8Array(300).fill(9)]);
  socket.close();
  const subscription = [0, 1, 1];
  const message = [1, 2, 1, 2, 2, 0, 0, 0, 0, 0, 0, 1, 44, ...Array(300).fill(9)];
  assert.deepEqual(await received, [...greeting, ...ready("SUB"), ...subscription, ...message]);
});

Deno.test("connectZmtp() puts frames together however the stream is cut, and skips commands", async () => {
  const long = Array(300).fill(7);
  const message = [1, 3, ...text("abc"), 4, 1, 0, 2, 0, 0, 0, 0, 0, 0, 1, 44, ...long];
  for (const piece of [1, 64, 5000]) {
    const { address, received } = serve([...greeting, ...ready("ROUTER"), ...message], piece);
    const socket = await connectZmtp("DEALER", address);
    const frames = await socket.receive();
    assert.deepEqual(frames.map((frame) => [...frame]), [text("abc"), long]);
    socket.close();
    await received;
  }
});

Deno.test("connectZmtp() refuses another protocol, absurd lengths and a closed connection", async () => {
  const http = serve(text("HTTP/1.1 400 Bad Request\r\n".padEnd(64)));
  await assert.rejects(connectZmtp("DEALER", http.address), /ZMTP/);
  const absurd = serve([...greeting, ...ready("ROUTER"), 2, 255, 0, 0, 0, 0, 0, 0, 0]);
  const socket = await connectZmtp("DEALER", absurd.address);
  await assert.rejects(socket.receive(), /claims/);
  socket.close();
  await Promise.all([http.received, absurd.received]);
});
