import assert from "node:assert/strict";
import {
  conceptTextFeatures,
  fillPrompt,
  imageFeatures,
  storedImageFeatures,
} from "../../lib/activations/mod.ts";
import type { ImageSet } from "../../lib/images/mod.ts";
import { openStore } from "../../lib/store/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";

/** Five images of one pixel, whose red value is ten times their index. */
const images: ImageSet = {
  name: "pixels",
  ids: ["0", "1", "2", "3", "4"],
  read: (index) => Promise.resolve(Uint8Array.of(10 * index)),
  decode: ([red]) => Promise.resolve({ width: 1, height: 1, data: Uint8Array.of(red!, 0, 0) }),
};
const preprocess = {
  resize: null,
  interpolation: "bilinear",
  crop: null,
  mean: [0, 0, 0],
  std: [1, 1, 1],
} as const;
const ref = { stage: "features", key: "ab".repeat(32) };

/** Options whose encoder gives [red, 1] of each image and counts its runs. */
async function options(store = undefined as Awaited<ReturnType<typeof openStore>> | undefined) {
  const runs: number[] = [];
  return {
    runs,
    indices: [4, 0, 2, 3, 1],
    batch: 2,
    store: store ?? openStore(await Deno.makeTempDir()),
    ref,
    signal: new AbortController().signal,
    onProgress: () => {},
    openEncoder: () =>
      Promise.resolve({
        preprocess,
        encode: (pixels: Float32Array, count: number) => {
          runs.push(count);
          const features = Array.from({ length: count }, (_, i) => [pixels[3 * i]!, 1]);
          return Promise.resolve(tensor([count, 2], Float32Array.from(features.flat())));
        },
        close: () => Promise.resolve(),
      }),
  };
}

const expected = [40, 0, 20, 30, 10].flatMap((red) => [Math.fround(red / 255), 1]);

Deno.test("imageFeatures() puts the images' features in the order of the indices", async () => {
  const given = await options();
  const features = await imageFeatures(images, given);
  assert.deepEqual(features.shape, [5, 2]);
  assert.deepEqual([...features.data], expected);
  assert.deepEqual(given.runs, [2, 2, 1]);
});

Deno.test("imageFeatures() computes only the batches that the store lacks", async () => {
  const first = await options();
  await imageFeatures(images, first);
  await Deno.remove(`${first.store.root}/features/ab/${ref.key}/rows-00000002`);
  assert.equal(await storedImageFeatures({ rows: 5, ...first }), undefined);
  const second = await options(first.store);
  const features = await imageFeatures(images, second);
  assert.deepEqual(second.runs, [2]);
  assert.deepEqual([...features.data], expected);
  const stored = await storedImageFeatures({ rows: 5, ...first });
  assert.deepEqual([...stored!.data], expected);
});

Deno.test("imageFeatures() keeps finished batches when an image cannot be read", async () => {
  const given = await options();
  const broken: ImageSet = {
    ...images,
    read: (index) => index === 1 ? Promise.reject(new Error("image 1")) : images.read(index),
  };
  await assert.rejects(imageFeatures(broken, given), /image 1/);
  const after = await options(given.store);
  await imageFeatures(images, after);
  assert.deepEqual(after.runs, [1], "only the last batch, with image 1, was left");
});

Deno.test("fillPrompt() puts the concept into the template", () => {
  assert.equal(fillPrompt("a photo of the {}.", "striped"), "a photo of the striped.");
});

Deno.test("conceptTextFeatures() sorts encoded prompts by concept and template, whatever the batch", async () => {
  const code = (text: string) => [text.length, text.charCodeAt(0)];
  const encode = (texts: readonly string[]) =>
    Promise.resolve(tensor([texts.length, 2], Float32Array.from(texts.flatMap(code))));
  for (const batch of [1, 4, 100]) {
    const { prompt, ensemble } = await conceptTextFeatures(["red", "striped"], {
      prompt: "a {}",
      ensemble: ["b {}!", "c the {}"],
      batch,
      encode,
    });
    assert.deepEqual(prompt, tensor([2, 2], Float32Array.of(5, 97, 9, 97)));
    assert.deepEqual(ensemble.shape, [2, 2, 2]);
    assert.deepEqual([...ensemble.data], [6, 98, 9, 99, 10, 98, 13, 99]);
  }
});
