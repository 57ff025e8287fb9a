import assert from "node:assert/strict";
import { openEngine } from "../../lib/cav/mod.ts";
import { selectProbes } from "../../lib/concepts/mod.ts";
import { textActivations } from "../../lib/cav/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { matrix } from "../cav/_reference.ts";

const random = createRandom("probes");
const activations = [0.1, 0.9, 0.5, -0.2, 0.9, 0.3];

Deno.test("selectProbes() takes the highest and the lowest half", () => {
  const probes = selectProbes(activations, { count: 4, choice: "extreme", random });
  assert.deepEqual([...probes], [0, 1, 3, 4]);
});

Deno.test("selectProbes() takes one more of the highest of an odd count, equal ones in order", () => {
  const odd = selectProbes(activations, { count: 3, choice: "extreme", random });
  assert.deepEqual([...odd], [1, 3, 4]);
  const single = selectProbes(activations, { count: 1, choice: "extreme", random });
  assert.deepEqual([...single], [1]);
});

Deno.test("selectProbes() sorts positions by number", () => {
  const pool = Array.from({ length: 120 }, (_, i) => i);
  const probes = selectProbes(pool, { count: 120, choice: "extreme", random });
  assert.deepEqual([...probes], pool);
});

Deno.test("selectProbes() at random repeats for a stream and ignores the activations", () => {
  const draw = (name: string, values: number[]) =>
    selectProbes(values, { count: 3, choice: "random", random: createRandom(name) });
  assert.deepEqual(draw("a", activations), draw("a", [1, 2, 3, 4, 5, 6]));
  const draws = new Set(Array.from({ length: 30 }, (_, i) => draw(`${i}`, activations).join()));
  assert.ok(draws.size > 5);
  for (const drawn of draws) assert.equal(new Set(drawn.split(",")).size, 3);
});

Deno.test("selectProbes() refuses a pool that is too small", () => {
  assert.throws(
    () => selectProbes(activations, { count: 7, choice: "extreme", random }),
    /Choosing 7 probes takes a pool of as many images at least, not 6/,
  );
});

Deno.test("textActivations() are the cosines of texts and images", async () => {
  const engine = await openEngine("ort", { device: "cpu" });
  const texts = matrix([[2, 0]]);
  const actual = await textActivations(texts, matrix([[3, 4], [0, 1]]), { engine });
  await engine.close();
  assert.deepEqual(actual.shape, [1, 2]);
  assert.ok(Math.abs(actual.data[0]! - 0.6) < 1e-7 && actual.data[1] === 0);
});
