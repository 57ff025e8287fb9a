import assert from "node:assert/strict";
import { openEngine, trainCavs } from "../../lib/cav/mod.ts";
import { nonNegativeCode, spliceCoder } from "../../lib/cav/splice.ts";
import type { Method } from "../../lib/config/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { readFixture, readReference, relativeDifference } from "./_reference.ts";

const engine = await openEngine("ort", { device: "cpu" });
const { problem } = await readReference("splice.json");
const { cases } = await readFixture("splice.json");

for (const { penalty, codes } of cases) {
  Deno.test(`spliceCoder() codes images as scikit-learn's Lasso, penalty ${penalty}`, async () => {
    const splice = spliceCoder(problem, engine);
    let some = 0;
    for (const [index, concept] of problem.concepts.entries()) {
      const images = await problem.vlFeatures.take(concept.probes);
      const actual = await splice(images, { concept, penalty });
      const expected: number[] = codes[index];
      actual.forEach((weight, i) => {
        assert.ok(Math.abs(weight - expected[i]!) < 1e-4, `${weight} for ${expected[i]}`);
      });
      some += expected.filter((weight) => weight > 0).length;
    }
    assert.ok(some > 0 && some < 20 * problem.concepts.length, `${some} weights above zero`);
  });
}

Deno.test("nonNegativeCode() of orthogonal words is what exceeds half of the penalty", () => {
  const gram = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0);
  const code = nonNegativeCode([0.5, -0.3, 0], { gram, penalty: 0.4 });
  assert.ok(relativeDifference(code, [0.3, 0, 0]) < 1e-12);
});

const { results } = await readReference("methods.json");
const plain = results.find(({ method }) => method.id === "lg_cav")!.method as Method<"lg_cav">;
const withSplice = (penalty: number | undefined): Method<"lg_cav"> => ({
  ...plain,
  id: "lg_cav+splice",
  parts: ["splice"],
  hyperparameters: {
    ...plain.hyperparameters,
    ...(penalty !== undefined && { splicePenalty: penalty }),
  },
});

Deno.test("trainCavs() by lg_cav+splice does not look at images that are no probes", async () => {
  const context = { engine, random: createRandom("splice") };
  const before = await trainCavs(problem, [withSplice(0.1)], context);
  const seen = new Set(problem.concepts.flatMap(({ probes }) => [...probes]));
  const taken: number[] = [];
  const vlFeatures = {
    ...problem.vlFeatures,
    take(rows: ArrayLike<number>) {
      taken.push(...Array.from(rows));
      return problem.vlFeatures.take(rows);
    },
  };
  const after = await trainCavs({ ...problem, vlFeatures }, [withSplice(0.1)], context);
  assert.deepEqual(after, before);
  assert.ok(taken.length > 0 && taken.every((image) => seen.has(image)));
});

Deno.test("trainCavs() by lg_cav+splice differs from lg_cav, and asks for its penalty", async () => {
  const context = { engine, random: createRandom("splice") };
  const { vectors } = await trainCavs(problem, [plain, withSplice(0.1)], context);
  const half = vectors.data.length / 2;
  assert.ok(relativeDifference(vectors.data.subarray(half), vectors.data.slice(0, half)) > 0.01);
  await assert.rejects(trainCavs(problem, [withSplice(undefined)], context), /splicePenalty/);
});
