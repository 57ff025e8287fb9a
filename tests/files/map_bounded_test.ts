import assert from "node:assert/strict";
import { mapBounded } from "../../lib/files/mod.ts";

/** Work that ends when it is told to, and the numbers of those begun. */
function gates(count: number) {
  const all = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const begun: number[] = [];
  const map = (i: number) => {
    begun.push(i);
    return all[i]!.promise;
  };
  return { all, begun, map, items: new Array(count).keys() };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("mapBounded() yields in order and has no more than `concurrency` at work", async () => {
  const { all, begun, map, items } = gates(5);
  const results = Array.fromAsync(mapBounded(items, { concurrency: 2, map }));
  await settled();
  assert.deepEqual(begun, [0, 1]);
  all[1]!.resolve(11);
  await settled();
  assert.deepEqual(begun, [0, 1], "the first is not taken yet, and bounds memory");
  all[0]!.resolve(10);
  await settled();
  assert.deepEqual(begun, [0, 1, 2, 3]);
  for (const i of [4, 3, 2]) all[i]!.resolve(10 + i);
  assert.deepEqual(await results, [10, 11, 12, 13, 14]);
});

Deno.test("mapBounded() goes on behind a slow item as far as `ahead` allows", async () => {
  const { all, begun, map, items } = gates(6);
  const results = Array.fromAsync(mapBounded(items, { concurrency: 2, ahead: 4, map }));
  await settled();
  assert.deepEqual(begun, [0, 1]);
  all[1]!.resolve(1);
  all[2]!.resolve(2);
  all[3]!.resolve(3);
  await settled();
  assert.deepEqual(begun, [0, 1, 2, 3]);
  for (const i of [0, 4, 5]) all[i]!.resolve(i);
  assert.deepEqual(await results, [0, 1, 2, 3, 4, 5]);
});

Deno.test("mapBounded() does nothing that its consumer does not come to", async () => {
  const { all, begun, map, items } = gates(9);
  all.forEach(({ resolve }, i) => resolve(i));
  for await (const first of mapBounded(items, { concurrency: 3, map })) {
    assert.equal(first, 0);
    break;
  }
  assert.deepEqual(begun, [0, 1, 2]);
});

Deno.test("mapBounded() throws the first failure in order, after what is at work", async () => {
  const { all, begun, map, items } = gates(5);
  const results = Array.fromAsync(mapBounded(items, { concurrency: 3, map }));
  all[1]!.reject(new Error("second"));
  await settled();
  all[0]!.reject(new Error("first"));
  let hasEnded = false;
  const ended = results.catch(() => {}).then(() => hasEnded = true);
  await settled();
  assert.equal(hasEnded, false, "the third is at work");
  all[2]!.resolve(2);
  await ended;
  await assert.rejects(results, /first/);
  assert.deepEqual(begun, [0, 1, 2]);
});

Deno.test("mapBounded() throws what its items throw", async () => {
  const items = async function* () {
    yield 1;
    await settled();
    throw new Error("no more items");
  };
  const map = (item: number) => Promise.resolve(item);
  await assert.rejects(
    Array.fromAsync(mapBounded(items(), { concurrency: 2, map })),
    /no more items/,
  );
});
