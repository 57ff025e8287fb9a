import assert from "node:assert/strict";
import { join } from "node:path";
import { trainingCost } from "../../lib/cav/mod.ts";
import { loadConfig, type Method, methodSchema, plain } from "../../lib/config/mod.ts";

async function method<Base extends Method["base"]>(name: Base): Promise<Method<Base>> {
  const path = join(import.meta.dirname!, "..", "..", "configs", "methods", `${name}.json`);
  return plain(await loadConfig(path, methodSchema)) as Method<Base>;
}

const sizes = { concepts: 2, images: 5000, probes: 1000, shots: 10, dim: 512 };

Deno.test("trainingCost() counts each image of each step twice, and the probes' products once", async () => {
  // Ten epochs of ten steps; a step sees 100 probes and 20 labelled images. Besides: 5e5 a step.
  const { multiplyAdds, shared, memory } = trainingCost(await method("lg_cav"), sizes);
  assert.equal(multiplyAdds, 2 * (2 * 10 * (1000 + 10 * 20) * 512 + 100 * 5e5));
  assert.equal(shared, 2 * 1000 ** 2 * 512 / 2);
  assert.equal(memory, 4 * (2 * 1020 + 1000) * 512);
  // A feature is more than six times as long as there are labelled images: see the next test.
  const original = trainingCost(await method("original_cav"), sizes);
  assert.equal(original.multiplyAdds, 2 * (2 * 10 * 10 * 20 * 20 + 21 * 20 * 512 + 100 * 5e5));
  assert.equal(original.shared, 0);
});

Deno.test("trainingCost() of long features counts their span", async () => {
  const { multiplyAdds, memory } = trainingCost(await method("lg_cav"), { ...sizes, dim: 100_000 });
  const steps = 2 * 10 * (1000 + 10 * 20) * 1020;
  assert.equal(multiplyAdds, 2 * (steps + 21 * 1020 * 100_000 + 100 * 5e5));
  assert.equal(memory, 4 * ((2 * 1020 + 1000) * 100_000 + 3 * 1020 ** 2));
});

Deno.test("trainingCost() of a map is that of its normal equations, for each seed", async () => {
  const { hyperparameters, ...rest } = await method("text_to_concept");
  const of = (map: typeof hyperparameters.map) =>
    trainingCost({ ...rest, hyperparameters: { ...hyperparameters, images: 3000, map } }, sizes);
  const { multiplyAdds, shared, memory } = of("target to VL");
  assert.equal(multiplyAdds, 512 ** 2 * 3000 / 2 + 512 ** 3 / 6);
  assert.equal(shared, 0);
  assert.equal(memory, 4 * 512 ** 2 + 2 * 3000 * 512 * 4);
  // Two concepts are sums of the images.
  assert.equal(of("VL to target").multiplyAdds, 2 * 3000 * 512);
});
