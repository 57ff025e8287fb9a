import assert from "node:assert/strict";
import {
  batchBounds,
  type CavEngine,
  type ColumnProblem,
  descentOf,
} from "../../lib/cav/engine.ts";
import { openEngine } from "../../lib/cav/mod.ts";
import { minimiseInSpan } from "../../lib/cav/_span.ts";
import { createRandom, normaliseRows, type Tensor, zeros } from "../../lib/tensor/mod.ts";
import { relativeDifference } from "./_reference.ts";

// Odd, so that rows begin at any address.
const [groups, columns, dim, images, probes] = [3, 4, 67, 9, 53];

function randomProblem(perturbations?: readonly number[]): ColumnProblem {
  const random = createRandom("engine test");
  const fill = (shape: number[], draw: () => number): Tensor => {
    const filled = zeros(shape);
    filled.data.forEach((_, i) => filled.data[i] = draw());
    return filled;
  };
  return {
    start: fill([groups, dim], () => 0.1 * random.normal()),
    columns,
    labelled: {
      features: fill([groups, images, dim], () => Math.max(0, random.normal() + 1)),
      labels: fill([groups, images], () => random.integer(2)),
      perturbations,
    },
    probes: {
      features: { ...normaliseRows(fill([probes, dim], random.normal)), shape: [1, probes, dim] },
      targets: fill([groups, columns, probes], () => random.between(-1, 1)),
      weights: fill([groups, columns, probes], () => random.between(0, 2)),
    },
  };
}

/** A coordinate of the vector that a trained coordinate started from. */
function startOf({ start }: ColumnProblem, index: number): number {
  return start.data[Math.floor(index / (columns * dim)) * dim + index % dim]!;
}

/** The problem of the last group and its last columns alone. */
function lastGroup({ start, labelled, probes }: ColumnProblem, columns: number): ColumnProblem {
  const last = ({ shape, data }: Tensor, rows: number): Tensor => {
    const width = shape.at(-1)!;
    const inner = shape.length === 2 ? [width] : [rows, width];
    return { shape: [1, ...inner], data: data.slice(-rows * width) };
  };
  return {
    start: last(start, 1),
    columns,
    labelled: labelled && {
      features: last(labelled.features, images),
      labels: last(labelled.labels, 1),
      perturbations: labelled.perturbations?.slice(-1),
    },
    probes: probes && {
      features: probes.features,
      targets: last(probes.targets, columns),
      weights: last(probes.weights, columns),
    },
  };
}

async function withEngine<T>(name: CavEngine["name"], use: (engine: CavEngine) => Promise<T>) {
  const engine = await openEngine(name, { device: "cpu" });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

const schedule = {
  learningRate: 0.05,
  epochs: 10,
  batchSize: 10,
  momentum: 0.9,
  weightDecay: 0.001,
  initialLength: 1,
};

const { labelled, probes: guided } = randomProblem();
const cases: Record<string, ColumnProblem> = {
  "both terms": randomProblem(),
  "moved positives": randomProblem([0.5, 0.2, 0]),
  "labelled images only": { ...randomProblem(), probes: undefined, labelled },
  "probes only": { ...randomProblem(), labelled: undefined, probes: guided },
};

for (const [name, problem] of Object.entries(cases)) {
  Deno.test(`engines agree on the gradient, closed form against autodiff: ${name}`, async () => {
    // One step of length 1 without momentum moves by the gradient.
    const step = { learningRate: 1, momentum: 0, weightDecay: 0, epochs: 1, batches: 1 };
    const gradient = async (engine: CavEngine) => {
      const { vectors, biases } = await engine.minimise(problem, step);
      const moved = vectors.data.map((x, i) => startOf(problem, i) - x);
      return { vectors: moved, biases: biases.data };
    };
    const closed = await withEngine("ort", gradient);
    const autodiff = await withEngine("tfjs", gradient);
    assert.ok(relativeDifference(closed.vectors, autodiff.vectors) < 1e-5);
    if (problem.labelled) {
      assert.ok(relativeDifference(closed.biases, autodiff.biases) < 1e-5);
    } else {
      assert.deepEqual(closed.biases, new Float32Array(groups * columns));
    }
  });

  Deno.test(`engines agree on the vectors after training: ${name}`, async () => {
    const train = (engine: CavEngine) => engine.minimise(problem, descentOf(schedule, probes));
    const [ort, tfjs] = [await withEngine("ort", train), await withEngine("tfjs", train)];
    assert.ok(relativeDifference(ort.vectors.data, tfjs.vectors.data) < 1e-4);
    const start = ort.vectors.data.map((_, i) => startOf(problem, i));
    assert.ok(relativeDifference(ort.vectors.data, start) > 0.1);
  });

  for (const engineName of ["ort", "tfjs"] as const) {
    Deno.test(`minimiseInSpan() on ${engineName} equals the direct descent: ${name}`, async () => {
      await withEngine(engineName, async (engine) => {
        const descent = descentOf(schedule, probes);
        const direct = await engine.minimise(problem, descent);
        const inSpan = await minimiseInSpan(problem, { engine, descent });
        assert.deepEqual(inSpan.vectors.shape, direct.vectors.shape);
        assert.ok(relativeDifference(inSpan.vectors.data, direct.vectors.data) < 1e-5);
        if (problem.labelled) {
          assert.ok(relativeDifference(inSpan.biases.data, direct.biases.data) < 1e-5);
        }
      });
    });

    Deno.test(`engine.minimise() of ${engineName} keeps columns and groups apart: ${name}`, async () => {
      await withEngine(engineName, async (engine) => {
        const descent = descentOf(schedule, probes);
        const all = await engine.minimise(problem, descent);
        const some = await engine.minimise(lastGroup(problem, 2), descent);
        const end = all.vectors.data.length;
        assert.deepEqual(some.vectors.data, all.vectors.data.slice(end - 2 * dim));
        assert.deepEqual(some.biases.data, all.biases.data.slice(-2));
      });
    });
  }
}

Deno.test("engine.minimise() gives the same bits in every run", async () => {
  const train = (engine: CavEngine) =>
    engine.minimise(cases["both terms"]!, descentOf(schedule, probes));
  const first = await withEngine("ort", train);
  const [second, third] = await withEngine(
    "ort",
    async (engine) => [await train(engine), await train(engine)],
  );
  assert.deepEqual(second, first);
  assert.deepEqual(third, first);
});

for (const name of ["ort", "tfjs"] as const) {
  Deno.test(`engine.product() of ${name} multiplies worked matrices`, async () => {
    const a = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const b = { shape: [2, 3], data: Float32Array.of(1, 0, -1, 2, 1, 0) };
    await withEngine(name, async (engine) => {
      const second = await engine.product(a, b);
      assert.deepEqual(second, { shape: [2, 2], data: Float32Array.of(-2, 4, -2, 13) });
      const first = await engine.product(a, b, { transpose: "first" });
      assert.deepEqual(first.shape, [3, 3]);
      assert.deepEqual([...first.data], [9, 4, -1, 12, 5, -2, 15, 6, -3]);
    });
  });
}

Deno.test("engine.description says what runs where", async () => {
  assert.match(await withEngine("ort", ({ description }) => Promise.resolve(description)), /cpu/);
  assert.match(
    await withEngine("tfjs", ({ description }) => Promise.resolve(description)),
    /^TensorFlow\.js \d+\.\d+\.\d+ on (wasm|tensorflow)$/,
  );
});

Deno.test("openEngine() of tfjs on cuda works or says which package is missing", async () => {
  try {
    await (await openEngine("tfjs", { device: "cuda" })).close();
  } catch (error) {
    assert.match(String(error), /takes the package @tensorflow\/tfjs-node-gpu .* use "cpu"/);
  }
});

Deno.test("batchBounds() and descentOf() deal all probes into batches of nearly one size", () => {
  const { batches } = descentOf({ ...schedule, batchSize: 4 }, 10);
  assert.equal(batches, 3);
  const bounds = [0, 1, 2].map((index) => batchBounds(index, { probes: 10, batches }));
  assert.deepEqual(bounds, [[0, 3], [3, 6], [6, 10]]);
  assert.equal(descentOf(schedule, 0).batches, 1);
});
