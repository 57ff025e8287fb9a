import assert from "node:assert/strict";
import type { FeatureRows } from "../../lib/activations/mod.ts";
import {
  allRequests,
  type CavBlock,
  type CavEngine,
  type CavProblem,
  type CavRequest,
  conceptBlocks,
  joinCavBlocks,
  openEngine,
  startDirection,
  trainBlocks,
  trainCavs,
} from "../../lib/cav/mod.ts";
import { createRandom, dot, row } from "../../lib/tensor/mod.ts";
import { readReference, relativeDifference } from "./_reference.ts";

const reference = await readReference("methods.json");
const references = {
  "narrow features": reference,
  "wide features": await readReference("methods_wide.json"),
};
const all = reference.results.map(({ method }) => method);
const methodOf = (id: string) => all.find((method) => method.id === id)!;
const random = createRandom(reference.seed);

async function withEngine<T>(name: CavEngine["name"], use: (engine: CavEngine) => Promise<T>) {
  const engine = await openEngine(name, { device: "cpu" });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

for (const name of ["ort", "tfjs"] as const) {
  for (const [width, { problem, results }] of Object.entries(references)) {
    for (const { method, vectors, thresholds } of results) {
      Deno.test(`trainCavs() on ${name} trains ${method.id} as PyTorch in float64: ${width}`, async () => {
        const trained = await withEngine(
          name,
          (engine) => trainCavs(problem, [method], { engine, random }),
        );
        const [, seeds, concepts, dim = 0] = trained.vectors.shape;
        assert.deepEqual([seeds, concepts], [2, 2]);
        vectors.flat().forEach((expected, i) => {
          const actual = trained.vectors.data.subarray(i * dim, (i + 1) * dim);
          const difference = relativeDifference(actual, expected);
          assert.ok(difference < 2e-6, `${difference}: ${actual} for ${expected}`);
        });
        assert.ok(relativeDifference(trained.thresholds.data, thresholds.flat()) < 1e-5);
      });
    }
  }

  for (const [width, { problem }] of Object.entries(references)) {
    Deno.test(`trainBlocks() on ${name} gives a vector the same bits whatever else is asked: ${width}`, async () => {
      await withEngine(name, async (engine) => {
        const requests = allRequests(problem, all);
        const together = await blocksOf(problem, requests, engine);
        for (const block of together) {
          const { method, seed, block: number } = block;
          const [alone] = await blocksOf(problem, [{ method, seed, block: number }], engine);
          assert.deepEqual(alone, block, `${method.id}, seed ${seed}`);
        }
        // Each seed by other methods than the other, in another order.
        const some = requests.filter((_, i) => i % 3 !== 0).reverse();
        const blocks = await blocksOf(problem, some, engine);
        for (const [i, request] of some.entries()) {
          const expected = together[requests.indexOf(request)];
          assert.deepEqual(blocks[i], expected, `${request.method.id}, seed ${request.seed}`);
        }
      });
    });
  }
}

function blocksOf(
  problem: CavProblem,
  requests: readonly CavRequest[],
  engine: CavEngine,
): Promise<CavBlock[]> {
  return Array.fromAsync(trainBlocks(problem, requests, { engine, random }));
}

const engine = await openEngine("ort", { device: "cpu" });
const context = { engine, random };

Deno.test("trainCavs() gives the same bits in every run", async () => {
  const [first, second] = [
    await trainCavs(reference.problem, all, context),
    await trainCavs(reference.problem, all, context),
  ];
  assert.deepEqual(second, first);
  assert.deepEqual(first.methods, all.map(({ id }) => id));
});

Deno.test("startDirection() is where descent starts", async () => {
  const method = methodOf("lg_cav");
  assert.ok(method.base === "lg_cav");
  const hyperparameters = {
    ...method.hyperparameters,
    learningRate: 0,
    threshold: "midpoint" as const,
  };
  const { problem } = reference;
  const still = await trainCavs(problem, [{ ...method, hyperparameters }], context);
  const dim = problem.features.shape[1];
  for (const [s, seed] of problem.seeds.entries()) {
    for (const [c, { concept }] of problem.concepts.entries()) {
      const start = startDirection(concept, { seed, dim, random });
      const at = (s * problem.concepts.length + c) * dim;
      const vector = still.vectors.data.subarray(at, at + dim);
      const { initialLength } = hyperparameters;
      assert.ok(relativeDifference(vector, start.map((x) => x * initialLength)) < 1e-6);
    }
  }
});

Deno.test("trainCavs() reads the images of a concept, and never all at a time", async () => {
  const { problem, results } = references["wide features"];
  const [concept] = problem.concepts;
  const taken: number[][] = [];
  const features: FeatureRows = {
    shape: problem.features.shape,
    take(rows) {
      taken.push(Array.from(rows));
      return problem.features.take(rows);
    },
  };
  const methods = results.map(({ method }) => method).filter(({ base }) => base === "lg_cav");
  await trainCavs({ ...problem, features, concepts: [concept!] }, methods, context);
  const { probes, positives, negatives } = concept!;
  const shots = [0, 1].flatMap((seed) => [...positives[seed]!, ...negatives[seed]!]);
  const ascending = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b);
  // Methods that differ in how descent runs, here in their origin, read the probes anew.
  const expected = [shots, ...[probes, probes].map(ascending)];
  assert.deepEqual([taken[0], ...taken.slice(1).map(ascending)], expected);
});

Deno.test("trainBlocks() does not let concepts influence each other", async () => {
  const { problem } = reference;
  // Two methods look at the probes of all concepts.
  const methods = all.filter(({ base }) => base !== "text_to_concept" && base !== "oa_tcav");
  const together = await blocksOf(problem, allRequests(problem, methods), engine);
  for (const [index, concept] of problem.concepts.entries()) {
    const alone = { ...problem, concepts: [concept] };
    const blocks = await blocksOf(alone, allRequests(alone, methods), engine);
    blocks.forEach(({ vectors, concepts }, i) => {
      assert.deepEqual(concepts, [concept.concept]);
      assert.deepEqual(row(vectors, 0), row(together[i]!.vectors, index));
    });
  }
});

Deno.test("trainBlocks() trains concepts beside others with fewer labelled images", async () => {
  const [first, second] = reference.problem.concepts;
  const fewer = {
    ...first!,
    concept: "fewer",
    positives: first!.positives.map((rows) => rows.slice(1)),
    negatives: first!.negatives.map((rows) => rows.slice(1)),
  };
  const problem = { ...reference.problem, concepts: [first!, fewer, second!] };
  const methods = [methodOf("original_cav"), methodOf("oa_tcav")];
  const blocks = await blocksOf(problem, allRequests(problem, methods), engine);
  const without = { ...problem, concepts: [first!, second!] };
  // The probes of all, from which OA-TCAV draws its noise, are the same.
  const expected = await blocksOf(without, allRequests(without, methods), engine);
  expected.forEach(({ vectors, thresholds }, i) => {
    assert.deepEqual(row(blocks[i]!.vectors, 0), row(vectors, 0));
    assert.deepEqual(row(blocks[i]!.vectors, 2), row(vectors, 1));
    assert.equal(blocks[i]!.thresholds.data[2], thresholds.data[1]);
  });
});

Deno.test("trainBlocks() trains the blocks asked for, with the bits of the whole", async () => {
  const concepts = Array.from({ length: 68 }, (_, i) => ({
    ...reference.problem.concepts[i % 2]!,
    concept: `concept ${i}`,
  }));
  const problem = { ...reference.problem, concepts };
  const whole = await trainCavs(problem, all, context);
  const requests = allRequests(problem, all);
  const second = await blocksOf(problem, requests.filter(({ block }) => block === 1), engine);
  const first = await blocksOf(problem, requests.filter(({ block }) => block === 0), engine);
  assert.deepEqual(joinCavBlocks([...first, ...second]), whole);
  assert.deepEqual(first[0]!.vectors.shape, [64, 7]);
  assert.deepEqual(second[0]!.concepts, ["concept 64", "concept 65", "concept 66", "concept 67"]);
  assert.deepEqual(conceptBlocks(concepts).map((block) => block.length), [64, 4]);
  assert.throws(() => joinCavBlocks([...first, second[0]!]), /block 1 is there 1 times/);
});

Deno.test("trainBlocks() rejects blocks and seeds that the problem does not have", async () => {
  const request = { method: methodOf("original_cav"), seed: 3, block: 0 };
  await assert.rejects(
    blocksOf(reference.problem, [{ ...request, block: 1 }], engine),
    /Block 1 of 1 blocks/,
  );
  await assert.rejects(
    blocksOf(reference.problem, [{ ...request, seed: 4 }], engine),
    /seed 4: the problem has \[3,8\]/,
  );
});

Deno.test("conceptGradient() equals the original CAV on last-layer features", async () => {
  const original = methodOf("original_cav");
  assert.ok(original.base === "original_cav");
  const gradient = { ...original, id: "concept_gradient", base: "concept_gradient" as const };
  const { vectors, thresholds } = await trainCavs(reference.problem, [original, gradient], context);
  assert.deepEqual(row(vectors, 0), row(vectors, 1));
  assert.deepEqual(row(thresholds, 0), row(thresholds, 1));
});

Deno.test("trainCavs() trains language-guided vectors without labels", async () => {
  const concepts = reference.problem.concepts.map((concept) => ({
    ...concept,
    positives: [[], []].map(() => new Int32Array()),
    negatives: [[], []].map(() => new Int32Array()),
  }));
  const problem = { ...reference.problem, concepts };
  const { vectors, thresholds } = await trainCavs(problem, [methodOf("lg_cav+ga+ce")], context);
  const dim = problem.features.shape[1];
  const images = await problem.features.take(concepts[0]!.probes);
  const vector = vectors.data.subarray(0, dim);
  const scores = [...concepts[0]!.probes.keys()].map((probe) => dot(vector, row(images, probe)));
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  assert.ok(Math.abs(thresholds.data[0]! - mean) < 1e-5);
  await assert.rejects(
    trainCavs(problem, [methodOf("lg_cav+ga+ce+dsr")], context),
    /Reweighting the probes of "striped" \(DSR\) takes positive images/,
  );
  await assert.rejects(
    trainCavs(problem, [methodOf("original_cav")], context),
    /vectors of "striped" without language takes labelled images/,
  );
});

Deno.test("trainCavs() rejects seeds with other numbers of labelled images", async () => {
  const [concept] = reference.problem.concepts;
  const negatives = [concept!.negatives[0]!, new Int32Array()];
  await assert.rejects(
    trainCavs({ ...reference.problem, concepts: [{ ...concept!, negatives }] }, all, context),
    /vectors of "striped" takes the same number of positives .* not \[4,4\] and \[3,0\]/,
  );
});

Deno.test("trainBlocks() stops at the signal and keeps the blocks that were done", async () => {
  const concepts = Array.from({ length: 68 }, () => reference.problem.concepts[0]!);
  const problem = { ...reference.problem, concepts };
  const controller = new AbortController();
  const done: number[] = [];
  await assert.rejects(async () => {
    const requests = allRequests(problem, [methodOf("original_cav")]);
    const options = { ...context, signal: controller.signal };
    for await (const { block } of trainBlocks(problem, requests, options)) {
      done.push(block);
      controller.abort(new Error("stopped"));
    }
  }, /stopped/);
  // The two seeds of the first block.
  assert.deepEqual(done, [0, 0]);
});
