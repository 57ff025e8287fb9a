/** A request as a server of the tests sees it. */
export interface Asked {
  readonly path: string;
  readonly headers: Headers;
}

/** What it answers: a status, headers and a body that are sent as they are, true or not. */
export interface Answer {
  readonly status: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array;
  /** Leaves the connection open after that, silent. */
  readonly hang?: boolean;
}

/** A server whose answers may lie; every answer ends its connection. */
export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/** Starts a server on a free port; the answer may depend on how often it was asked before. */
export function serve(answer: (asked: Asked, nth: number) => Answer): Server {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: Asked[] = [];
  const open = new Set<Deno.Conn>();
  const done = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      handle(connection).catch(() => {}).finally(() => open.delete(connection));
    }
  })();

  async function handle(connection: Deno.Conn): Promise<void> {
    const request = await readHead(connection);
    asked.push(request);
    const { status, headers = {}, body = new Uint8Array(), hang } = answer(
      request,
      asked.length - 1,
    );
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const head = `HTTP/1.1 ${status}\r\nconnection: close\r\n${lines}\r\n`;
    await writeAll(connection, new TextEncoder().encode(head));
    await writeAll(connection, body);
    if (!hang) connection.close();
  }

  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      listener.close();
      await done.catch(() => {});
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // It was closed from the other side.
        }
      }
    },
  };
}

/** An honest server of files: lengths, ranges with If-Range, a strong ETag. */
export function fileAnswer(body: Uint8Array, { headers }: Asked, etag = '"v1"'): Answer {
  const range = /^bytes=(\d+)-$/.exec(headers.get("range") ?? "");
  const from = Number(range?.[1]);
  if (range === null || (headers.get("if-range") ?? etag) !== etag) {
    return { status: "200 OK", headers: { "content-length": body.length, etag }, body };
  }
  if (from >= body.length) {
    const headers = { "content-range": `bytes */${body.length}`, "content-length": 0 };
    return { status: "416 Range Not Satisfiable", headers };
  }
  return {
    status: "206 Partial Content",
    headers: {
      "content-length": body.length - from,
      "content-range": `bytes ${from}-${body.length - 1}/${body.length}`,
      etag,
    },
    body: body.subarray(from),
  };
}

async function readHead(connection: Deno.Conn): Promise<Asked> {
  let text = "";
  const buffer = new Uint8Array(4096);
  while (!text.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("The client went away.");
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  const [first, ...lines] = text.trimEnd().split("\r\n");
  const headers = new Headers(lines.map((line) => line.split(/: ?(.*)/, 2) as [string, string]));
  return { path: first!.split(" ")[1]!, headers };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
