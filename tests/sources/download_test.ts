import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { UserError } from "../../lib/files/mod.ts";
import { download, type DownloadOptions } from "../../lib/sources/mod.ts";
import { type Answer, type Asked, fileAnswer, serve } from "./_server.ts";

const body = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 8);
const sha256 = createHash("sha256").update(body).digest("hex");
const md5 = createHash("md5").update(body).digest("hex");
const half = body.subarray(0, 150_000);

interface Outcome {
  readonly error: Error | undefined;
  readonly asked: readonly Asked[];
  readonly waits: readonly number[];
  readonly folder: string;
  readonly path: string;
}

/** Downloads from a server with these answers; `part` and `note` are what an earlier run left. */
async function attempt(
  answer: (asked: Asked, nth: number) => Answer,
  { part, note, ...options }:
    & Partial<DownloadOptions>
    & { part?: Uint8Array; note?: string | null } = {},
  judge: (outcome: Outcome) => Promise<void> | void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await using server = serve(answer);
  const waits: number[] = [];
  const path = `${folder}/sub/file.bin`;
  const url = `${server.url}/file.bin`;
  try {
    if (part !== undefined) {
      await Deno.mkdir(`${folder}/sub`);
      await Deno.writeFile(`${path}.part`, part);
      const validator = note === undefined ? '"v1"' : note;
      await Deno.writeTextFile(`${path}.part.json`, JSON.stringify({ url, validator }));
    }
    const error = await download(url, path, {
      fetch,
      sleep: (milliseconds) => {
        waits.push(milliseconds);
        return Promise.resolve();
      },
      hashes: { sha256 },
      maxBytes: 1_000_000,
      ...options,
    }).then((done) => {
      assert.equal(done.sha256, sha256);
      assert.equal(done.bytes, body.length);
    }, (error) => error);
    const names = await Array.fromAsync(Deno.readDir(`${folder}/sub`), ({ name }) => name);
    if (error === undefined) {
      assert.deepEqual(await Deno.readFile(path), body);
      assert.deepEqual(names, ["file.bin"]);
    } else assert.ok(!names.includes("file.bin"), "nothing incomplete has the file's name");
    await judge({ error, asked: server.asked, waits, folder, path });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const whole: Answer = {
  status: "200 OK",
  headers: { "content-length": body.length, etag: '"v1"' },
  body,
};
const dropped: Answer = { ...whole, body: half };
const honest = (asked: Asked) => fileAnswer(body, asked);

function refused(pattern: RegExp) {
  return ({ error }: Outcome) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, pattern);
  };
}

Deno.test("download() fetches a file once and reports its progress", async () => {
  const seen: [number, number | undefined][] = [];
  const onProgress = (bytes: number, total: number | undefined) => void seen.push([bytes, total]);
  await attempt(honest, { onProgress }, ({ error, asked, waits }) => {
    assert.equal(error, undefined);
    assert.equal(asked.length, 1);
    assert.equal(asked[0]!.headers.get("range"), null);
    assert.deepEqual(waits, []);
    assert.deepEqual(seen.at(-1), [body.length, body.length]);
    assert.ok(seen.every(([bytes], i) => i === 0 || bytes > seen[i - 1]![0]));
  });
});

Deno.test("download() goes on by range where a dropped connection ended", async () => {
  await attempt((asked, nth) => nth === 0 ? dropped : honest(asked), {}, (outcome) => {
    assert.equal(outcome.error, undefined);
    const [, second] = outcome.asked;
    // How much of what was sent arrived before the connection broke is the system's matter.
    const from = Number(/^bytes=(\d+)-$/.exec(second!.headers.get("range") ?? "")?.[1] ?? 0);
    assert.ok(from <= half.length);
    if (from > 0) assert.equal(second!.headers.get("if-range"), '"v1"');
    assert.deepEqual(outcome.waits, [1000]);
  });
});

Deno.test("download() goes on where an earlier run was killed", async () => {
  await attempt(honest, { part: half }, ({ error, asked }) => {
    assert.equal(error, undefined);
    assert.equal(asked.length, 1);
    assert.equal(asked[0]!.headers.get("range"), "bytes=150000-");
  });
  // Without a validator the known hash vouches for the result.
  await attempt(honest, { part: half, note: null }, ({ error, asked }) => {
    assert.equal(error, undefined);
    assert.equal(asked[0]!.headers.get("if-range"), null);
  });
  // With neither, the part is of no use.
  await attempt(honest, { part: half, note: null, hashes: {} }, ({ error, asked }) => {
    assert.equal(error, undefined);
    assert.equal(asked[0]!.headers.get("range"), null);
  });
});

Deno.test("download() only checks a part that was complete", async () => {
  await attempt(honest, { part: body }, ({ error, asked }) => {
    assert.equal(error, undefined);
    assert.equal(asked.length, 1);
  });
});

Deno.test("download() begins anew when the file on the server has changed", async () => {
  const old = new Uint8Array(150_000);
  await attempt(honest, { part: old, note: '"v0"' }, ({ error, asked }) => {
    assert.equal(error, undefined);
    assert.equal(asked.length, 1);
  });
  // The same tag for other bytes: the hash tells, and the second attempt takes the whole.
  await attempt(honest, { part: old }, ({ error, asked }) => {
    assert.equal(error, undefined);
    assert.equal(asked.length, 2);
    assert.equal(asked[1]!.headers.get("range"), null);
  });
});

Deno.test("download() begins anew when the server ignores ranges", async () => {
  await attempt(() => whole, { part: half }, ({ error, asked }) => {
    assert.equal(error, undefined);
    assert.equal(asked.length, 1);
  });
});

Deno.test("download() begins anew when the server answers another range", async () => {
  const wrong = {
    ...whole,
    status: "206 Partial Content",
    headers: { "content-range": "bytes 0-299999/300000", "content-length": 300_000 },
  };
  await attempt((asked, nth) => nth === 0 ? wrong : honest(asked), { part: half }, (outcome) => {
    assert.equal(outcome.error, undefined);
    assert.equal(outcome.asked[1]!.headers.get("range"), null);
  });
});

Deno.test("download() begins anew when the part is longer than the file", async () => {
  await attempt(honest, { part: new Uint8Array(400_000) }, ({ error, asked }) => {
    assert.equal(error, undefined);
    assert.equal(asked.length, 2);
  });
});

Deno.test("download() gives up on a server that always drops, and keeps the part", async () => {
  await attempt(() => dropped, {}, async ({ error, asked, waits, path }) => {
    refused(/ended after|connection.*after 6 attempts.*run the same command again/)({
      error,
    } as Outcome);
    assert.equal(asked.length, 6);
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16000]);
    assert.ok((await Deno.stat(`${path}.part`)).isFile);
  });
});

Deno.test("download() notices lengths that are lies", async () => {
  const short = { ...whole, headers: { "content-length": 100_000 } };
  await attempt(() => short, {}, refused(/expected SHA-256 .*, found .*Nothing was kept/));
  const long = { ...whole, headers: { "content-length": 400_000 } };
  await attempt(() => long, {}, refused(/after 6 attempts/));
  const none = { status: "200 OK", body: half };
  await attempt(() => none, {}, refused(/expected SHA-256/));
  const range = (from: string) => ({
    ...whole,
    status: "206 Partial Content",
    headers: { "content-range": from, "content-length": 1000 },
    body: body.subarray(0, 1000),
  });
  await attempt(() => range("bytes 150000-299999/300000"), { part: half }, refused(/6 attempts/));
  await attempt(() => range("nonsense"), { part: half }, refused(/answered 206 for a range/));
});

Deno.test("download() refuses wrong bytes by every kind of hash and keeps nothing", async () => {
  const wrong = { ...whole, body: body.toReversed() };
  const zeros = "0".repeat(64);
  for (
    const hashes of [{ sha256 }, { md5 }, { sha1: zeros.slice(24) }, { sha256Prefix: "f37072fd" }]
  ) {
    await attempt(() => wrong, { hashes }, async (outcome) => {
      refused(/expected (MD5|SHA-1|SHA-256|SHA-256 prefix) .* found/)(outcome);
      assert.equal(outcome.asked.length, 1);
      await assert.rejects(Deno.stat(`${outcome.path}.part`), Deno.errors.NotFound);
      await assert.rejects(Deno.stat(`${outcome.path}.part.json`), Deno.errors.NotFound);
    });
  }
  const prefix = { md5, sha256Prefix: sha256.slice(0, 8) };
  await attempt(honest, { hashes: prefix }, ({ error }) => assert.equal(error, undefined));
});

Deno.test("download() stops a server that sends without end", async () => {
  await attempt(honest, { maxBytes: 200_000 }, refused(/more than 200000 bytes/));
});

Deno.test("download() follows redirects, but no loop and no file", async () => {
  const to = (location: string) => ({ status: "302 Found", headers: { location } });
  await attempt(
    (asked) => asked.path === "/file.bin" ? to("/moved/here") : honest(asked),
    {},
    ({ error, asked }) => {
      assert.equal(error, undefined);
      assert.deepEqual(asked.map(({ path }) => path), ["/file.bin", "/moved/here"]);
    },
  );
  await attempt(() => to("/file.bin"), {}, (outcome) => {
    refused(/redirects more than 8 times/)(outcome);
    assert.equal(outcome.asked.length, 9);
  });
  await attempt(() => to("file:///etc/passwd"), {}, refused(/redirects to file:.*not followed/));
  await attempt(() => ({ status: "302 Found" }), {}, refused(/redirects to nowhere/));
});

Deno.test("download() refuses 404 at once, and retries 500, 503 and 429", async () => {
  await attempt(() => ({ status: "404 Not Found" }), {}, (outcome) => {
    refused(/answered 404 Not Found; correct the address/)(outcome);
    assert.equal(outcome.asked.length, 1);
  });
  const busy = ["500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests"];
  await attempt(
    (asked, nth) =>
      busy[nth] === undefined
        ? honest(asked)
        : { status: busy[nth], headers: nth === 1 ? { "retry-after": 7 } : {} },
    {},
    ({ error, waits }) => {
      assert.equal(error, undefined);
      assert.deepEqual(waits, [1000, 7000, 4000]);
    },
  );
  await attempt(
    () => ({ status: "500 Internal Server Error", headers: { "retry-after": 1e9 } }),
    {},
    (outcome) => {
      refused(/answered 500 Internal Server Error, after 6 attempts/)(outcome);
      assert.ok(Math.max(...outcome.waits) <= 120_000);
    },
  );
});

Deno.test("download() gives up a connection that falls silent", async () => {
  const hang = { ...dropped, hang: true };
  await attempt(
    (asked, nth) => nth === 0 ? hang : honest(asked),
    { silence: 100 },
    ({ error, asked }) => {
      assert.equal(error, undefined);
      assert.equal(asked[1]!.headers.get("range"), "bytes=150000-");
    },
  );
});

Deno.test("download() retries an address where nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const folder = await Deno.makeTempDir();
  try {
    let waits = 0;
    await assert.rejects(
      download(`http://127.0.0.1:${port}/x`, `${folder}/x`, {
        fetch,
        sleep: () => Promise.resolve(void waits++),
        hashes: {},
        maxBytes: 1,
      }),
      { name: "UserError", message: /connection to 127.0.0.1:\d+ failed/ },
    );
    assert.equal(waits, 5);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("download() stops when it is told to, and keeps the part", async () => {
  const stop = new AbortController();
  const onProgress = () => stop.abort(new Error("Ctrl-C"));
  await attempt(
    () => ({ ...dropped, hang: true }),
    { onProgress, signal: stop.signal },
    async ({ error, asked, waits, path }) => {
      assert.equal(error?.message, "Ctrl-C");
      assert.equal(asked.length, 1);
      assert.deepEqual(waits, []);
      assert.ok((await Deno.stat(`${path}.part`)).size > 0);
    },
  );
});
