import assert from "node:assert/strict";
import type { FeatureRows } from "../../lib/activations/mod.ts";
import { descend } from "../../lib/correction/_descend.ts";
import { epochWindows } from "../../lib/correction/_minibatches.ts";
import { openWindow } from "../../lib/correction/_rows.ts";
import { openSessions } from "../../lib/correction/_sessions.ts";
import { createRandom, zeros } from "../../lib/tensor/mod.ts";
import { relativeDifference } from "./_reference.ts";

Deno.test("descend() on more images than are in memory at once does as a plain loop", async () => {
  const [images, width, batchSize, epochs] = [1000, 4, 20, 2];
  // Three blocks of 64 rows at once, sixteen in all.
  const windowNumbers = 3 * 64 * width;
  const labels = Int32Array.from({ length: images }, (_, i) => i % 2);
  const numbersOf = (i: number) => [1, i % 7 / 7, i % 11 / 11, labels[i]! - i % 3 / 3];
  const taken = new Uint8Array(images);
  const features: FeatureRows = {
    shape: [images, width],
    take(indices) {
      const rows = zeros([indices.length, width]);
      for (let i = 0; i < indices.length; i++) {
        rows.data.set(numbersOf(indices[i]!), i * width);
        taken[indices[i]!]!++;
      }
      return Promise.resolve(rows);
    },
  };
  const settings = {
    learningRate: 0.5,
    epochs,
    batchSize,
    momentum: 0.5,
    weightDecay: 0,
    start: "zero",
  } as const;
  const sessions = openSessions({ device: "cpu" });
  const random = createRandom("order");
  const [layer] = await descend([{ name: "", objective: { settings, diagnostics: {} } }], {
    data: { labels, lastLayer: { weight: zeros([2, width]), bias: zeros([2]) } },
    features: openWindow(features),
    views: undefined,
    sessions,
    random,
    signal: undefined,
    windowNumbers,
    onPass: () => {},
  });
  await sessions.close();
  assert.deepEqual(new Set(taken), new Set([epochs + 2]), "once in each pass");

  // Two classes from zero: the rows of the weight are each other's opposite.
  const weight = [0, 0, 0, 0];
  const velocity = [0, 0, 0, 0];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const windows = [...epochWindows(
      { images, width, batchSize, windowNumbers },
      random.split(epoch),
    )];
    assert.equal(windows.length, 6);
    for (const batch of windows.flatMap(({ batches }) => batches)) {
      const gradient = [0, 0, 0, 0];
      for (const image of batch) {
        const numbers = numbersOf(image);
        // The bias is alike the first weight, whose number is always 1.
        const score = numbers.reduce((sum, x, j) => sum + weight[j]! * x * (j === 0 ? 2 : 1), 0);
        const error = (1 / (1 + Math.exp(-2 * score)) - labels[image]!) / batch.length;
        numbers.forEach((x, j) => gradient[j]! += error * x);
      }
      gradient.forEach((value, j) => {
        velocity[j] = settings.momentum * velocity[j]! + value;
        weight[j]! -= settings.learningRate * velocity[j]!;
      });
    }
  }
  const expected = [...weight.map((value) => -value), ...weight];
  const difference = relativeDifference(layer!.weight.data, expected);
  assert.ok(difference < 1e-5, `${difference}`);
});
