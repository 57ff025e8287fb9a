import assert from "node:assert/strict";
import {
  artifactStage,
  jsonCodec,
  materialise,
  missingStages,
  type Stage,
} from "../../lib/pipeline/mod.ts";
import { openStore } from "../../lib/store/mod.ts";

const context = async () => ({
  store: openStore(await Deno.makeTempDir()),
  device: "cpu" as const,
  threads: 1,
  signal: new AbortController().signal,
  onProgress: () => {},
});

/** Stages a -> b -> d and a -> c -> d, whose values are sums, with a log of what ran. */
function diamond(input = 1, version = 1) {
  const ran: string[] = [];
  const stage = (id: string, needs: readonly Stage<number>[], own: number): Stage<number> =>
    artifactStage({
      id,
      stage: id,
      version,
      inputs: { own },
      needs,
      work: "",
      codec: jsonCodec<number>(),
      compute: async ({ valueOf }) => {
        ran.push(id);
        const values = await Promise.all(needs.map((need) => valueOf(need)));
        return values.reduce((sum, value) => sum + value, own);
      },
    });
  const a = stage("a", [], input);
  const b = stage("b", [a], 10);
  const c = stage("c", [a], 100);
  const d = stage("d", [b, c], 1000);
  return { a, b, c, d, ran };
}

Deno.test("materialise() runs each needed stage once and then none", async () => {
  const shared = await context();
  const first = diamond();
  assert.equal(await materialise(first.d, shared), 1 + 10 + 1 + 100 + 1000);
  assert.deepEqual(first.ran.toSorted(), ["a", "b", "c", "d"]);
  const second = diamond();
  assert.equal(await materialise(second.d, shared), 1112);
  assert.deepEqual(second.ran, []);
});

Deno.test("materialise() recomputes what depends on a changed input or version, and nothing else", async () => {
  const shared = await context();
  await materialise(diamond().d, shared);
  assert.notEqual(diamond(1, 2).a.ref.key, diamond().a.ref.key);
  const changed = diamond(2);
  assert.equal(await materialise(changed.d, shared), 1114);
  assert.equal(changed.ran.length, 4);
  assert.equal(await materialise(changed.b, shared), 12);
  assert.equal(changed.ran.length, 4);
});

Deno.test("materialise() recomputes a corrupt artifact", async () => {
  const shared = await context();
  const { b, d } = diamond();
  await materialise(d, shared);
  const path = `${shared.store.root}/b/${b.ref.key.slice(0, 2)}/${b.ref.key}`;
  await Deno.writeTextFile(path, "damage");
  const again = diamond();
  assert.equal(await materialise(again.b, shared), 11);
  assert.deepEqual(again.ran, ["b"]);
});

Deno.test("materialise() computes nothing once aborted", async () => {
  const { a, ran } = diamond();
  await assert.rejects(
    materialise(a, { ...await context(), signal: AbortSignal.abort(new Error("stop")) }),
    /stop/,
  );
  assert.deepEqual(ran, []);
});

Deno.test("missingStages() lists needed stages before the ones that need them, once", async () => {
  const shared = await context();
  const { a, b, d } = diamond();
  assert.deepEqual((await missingStages([d], shared)).map(({ id }) => id), ["a", "b", "c", "d"]);
  await materialise(b, shared);
  assert.deepEqual((await missingStages([d], shared)).map(({ id }) => id), ["c", "d"]);
  await materialise(d, shared);
  await Deno.remove(`${shared.store.root}/a/`, { recursive: true });
  assert.deepEqual(
    await missingStages([d], shared),
    [],
    "what a stored stage needed is not missed",
  );
  assert.equal(a.needs.length, 0);
});
