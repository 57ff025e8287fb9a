import assert from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import {
  type Estimate,
  modelOf,
  planCost,
  planSeconds,
  requireRoom,
  type Speeds,
  type StageNode,
} from "../../lib/pipeline/mod.ts";

const room = { storeRoot: "/store", freeBytes: 1e9, memoryBytes: 16e9 };

/** A stage of a model's features, in a group of its own unless another has the same model. */
function features(model: string, estimate: Estimate): StageNode {
  return {
    kind: "features",
    key: model,
    id: model,
    inputs: { model, output: "features" },
    needs: {},
    how: null,
    work: "",
    estimate,
  };
}

/** A stage in a group of its own. */
function node(kind: string, key: string, estimate: Estimate): StageNode {
  return { kind, key, id: key, inputs: {}, needs: {}, how: null, work: "", estimate };
}

function refuses(nodes: readonly StageNode[], sentence: RegExp): void {
  assert.throws(
    () => requireRoom(nodes, { room, jobs: 1 }),
    (error: Error) => error instanceof UserError && sentence.test(error.message),
  );
}

Deno.test("requireRoom() adds up what is stored, and takes the memory stage by stage", () => {
  const fitting = [
    features("a", { bytes: 5e8, memory: 16e9 }),
    features("b", { bytes: 5e8, memory: 16e9 }),
  ];
  assert.equal(requireRoom(fitting, { room, jobs: 1 }), 1);
  refuses(
    [features("a", { bytes: 5e8 }), node("world", "b", { bytes: 6e8 })],
    /^The plan will store 1\.1 GB in \/store, whose disk has 1\.0 GB left\./,
  );
  refuses(
    [features("a", { memory: 1e9 }), features("b", { memory: 24e9 })],
    /^The stage "b" takes 24\.0 GB of memory, and this machine has 16\.0 GB\./,
  );
});

Deno.test("requireRoom() allows as many groups at once as the largest of them leave room for", () => {
  const jobsOf = (memories: readonly number[], jobs: number) =>
    requireRoom(memories.map((memory, i) => features(`${i}`, { memory })), { room, jobs });
  assert.equal(jobsOf([6e9, 5e9, 4e9], 8), 8, "15 of 16 GB");
  assert.equal(jobsOf([1e9, 9e9, 5e9, 3e9], 8), 2, "9 + 5 fit, 3 more do not");
  assert.equal(jobsOf([9e9, 8e9], 8), 1);
  const oneGroup = [features("a", { memory: 9e9 }), features("a", { memory: 9e9 })];
  assert.equal(requireRoom(oneGroup, { room, jobs: 8 }), 8, "one after the other");
});

Deno.test("planCost() adds up work, counting what a group does once but once", () => {
  const shared = { images: 10, multiplyAdds: 100, shared: 1000, bytes: 8, memory: 70 };
  const nodes = [
    features("a", shared),
    features("a", { ...shared, memory: 50 }),
    features("b", { images: 1, multiplyAdds: 3 }),
    { ...node("pairs", "c", {}), estimate: undefined },
  ];
  assert.deepEqual(planCost(nodes), {
    stages: 4,
    images: 21,
    multiplyAdds: 203 + 1000,
    bytes: 16,
    memory: 70,
  });
  assert.deepEqual(planCost([]), { stages: 0, images: 0, multiplyAdds: 0, bytes: 0, memory: 0 });
});

Deno.test("planSeconds() takes measured models as measured, others as those together", () => {
  const [a, b, c] = ["a", "b", "c"].map((model) =>
    features(model, { images: 100, multiplyAdds: 1e9 })
  ) as [StageNode, StageNode, StageNode];
  const speeds: Speeds = {
    products: 1e9,
    rendering: 0.02,
    reading: 0.01,
    models: [
      { name: "a", model: modelOf(a), multiplyAdds: 1e8 },
      { name: "b", model: modelOf(b), multiplyAdds: 5e8 },
    ],
  };
  const secondsOf = (nodes: readonly StageNode[], jobs = 1) => planSeconds(nodes, { speeds, jobs });
  // 100 images at 10 ms, and 10^9 multiply-adds at the speed of the model.
  close(secondsOf([a]), 1 + 10);
  close(secondsOf([b]), 1 + 2);
  // 10^9 by each of both models take 12 s: 6 s each.
  close(secondsOf([c]), 1 + 6);
  close(secondsOf([a, b, c]), 21);
  close(secondsOf([a, b, c], 2), 11, "no less than the longest");
  close(secondsOf([b, c], 2), 7);
  close(secondsOf([node("world", "w", { images: 50 })]), 1);
  close(secondsOf([]), 0);
  const none: Speeds = { products: 1e9, models: [] };
  close(planSeconds([a], { speeds: none, jobs: 1 }), 1 / 0.8, "four fifths of a matrix product");
});

function close(actual: number, expected: number, message?: string): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, message ?? `${actual}, not ${expected}`);
}
