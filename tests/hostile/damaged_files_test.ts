import assert from "node:assert/strict";

/** Other files are made in each release: set it to the number of the release. */
const SEED = "release 1";
/** Damaged files per reader. */
const COUNT = 120;
/** Bytes; the process takes 0.1 GB to start, the dearest file (a PNG of 25 megapixels) 0.1 GB. */
const MEMORY = 1.2e9;

Deno.test("every reader ends a hostile file in success or one sentence, silently and in bounds", async () => {
  const child = new URL("_read_damaged.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", child, SEED, String(COUNT)],
    signal: AbortSignal.timeout(300_000),
  }).output();
  const [done, ...faults] = new TextDecoder().decode(stdout).trimEnd().split("\n").reverse();
  assert.equal(new TextDecoder().decode(stderr), "", "nothing is printed by native libraries");
  assert.ok(success, `the process died after ${done}`);
  assert.deepEqual(faults, []);
  const { outcomes, memory } = JSON.parse(done!) as {
    outcomes: Record<string, { read: number; refused: number }>;
    memory: number;
  };
  assert.ok(memory < MEMORY, `${memory} bytes`);
  for (const [reader, { read, refused }] of Object.entries(outcomes)) {
    if (reader !== "bombs") assert.equal(read + refused, COUNT, reader);
    assert.ok(refused > 0, `${reader} refused nothing`);
  }
});
