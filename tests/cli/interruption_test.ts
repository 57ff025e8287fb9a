import assert from "node:assert/strict";
import { join } from "node:path";
import { createRandom } from "../../lib/tensor/mod.ts";
import { miniRoot, type Outcome, resultBytes, runCli, startCli } from "./_mini_root.ts";

/** A table with stages of every kind, and few of each. */
const table = ["reproduce", "table2", "--methods", "original_cav,lg_cav", "--seeds", "0"];

/** Starts a reproduction and signals it after some milliseconds, unless it ended before. */
async function signalAfter(root: string, delay: number, signal: Deno.Signal): Promise<Outcome> {
  const child = startCli(root, table);
  const timer = setTimeout(() => {
    try {
      child.kill(signal);
    } catch { /* it ended in the same moment */ }
  }, delay);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: err! };
}

Deno.test("reproduce killed at 20 random moments gives the bytes of an undisturbed run", async () => {
  const root = await miniRoot();
  const started = performance.now();
  assert.equal((await runCli(root, table)).code, 0);
  const duration = performance.now() - started;
  const undisturbed = await resultBytes(root, "table2");
  const random = createRandom("moments of killing");
  const forget = async () => {
    for (const folder of [".cache", "results"]) {
      await Deno.remove(join(root, folder), { recursive: true }).catch(() => {});
    }
  };
  await forget();
  let killed = 0;
  while (killed < 20) {
    const { code, stderr } = await signalAfter(root, random.between(0, duration), "SIGKILL");
    if (code === 137) killed++;
    else {
      assert.equal(code, 0, stderr);
      assert.deepEqual(await resultBytes(root, "table2"), undisturbed);
      await forget();
    }
  }
  const last = await runCli(root, table);
  assert.equal(last.code, 0, last.stderr);
  assert.doesNotMatch(last.stderr, /corrupt/);
  assert.deepEqual(await resultBytes(root, "table2"), undisturbed);
});

Deno.test("reproduce stops at Ctrl-C with exit code 130 and goes on where it was", async () => {
  const root = await miniRoot();
  const child = startCli(root, table);
  const stages = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("[2/")) said += (await stages.read()).value ?? "";
  child.kill("SIGINT");
  for (let read = await stages.read(); !read.done; read = await stages.read()) said += read.value;
  await child.stdout.cancel();
  assert.equal((await child.status).code, 130);
  assert.match(said, /Stopped; the next run goes on from here\./);
  const total = Number(/\[2\/(\d+)\]/.exec(said)![1]);
  const resumed = await runCli(root, table);
  assert.equal(resumed.code, 0, resumed.stderr);
  const left = Number(/\[1\/(\d+)\]/.exec(resumed.stderr)![1]);
  assert.ok(left <= total - 2, `${left} of ${total} stages were left`);
  const host = encodeURIComponent(Deno.hostname());
  const unfinished = join(
    ...[root, "results", "world", "table2", `.writing-${host}-${crypto.randomUUID()}`],
  );
  await Deno.writeTextFile(unfinished, "half");
  assert.equal((await runCli(root, table)).code, 0);
  const isThere = await Deno.lstat(unfinished).then(() => true, () => false);
  assert.equal(isThere, false, "what a killed run began to write into a result");
});
