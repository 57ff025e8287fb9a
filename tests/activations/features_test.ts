import assert from "node:assert/strict";
import {
  allRows,
  conceptTextFeatures,
  fillPrompt,
  missingBlocks,
  rowsPerBlock,
  storedRows,
  storeImageFeatures,
} from "../../lib/activations/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { type ImageSet, UnreadableImageError } from "../../lib/images/mod.ts";
import { openStore, type Store } from "../../lib/store/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

/** 130 images of one pixel, whose red value is their index: two full parts and two rows. */
const images: ImageSet = {
  name: "pixels",
  ids: Array.from({ length: 130 }, (_, index) => `${index}`),
  read: (index) => Promise.resolve(Uint8Array.of(index)),
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
const indices = images.ids.map((_, row) => 129 - row);

/** Options whose encoder gives [red, first row] of each image and counts its runs. */
async function options({ store = undefined as Store | undefined, batch = 32 } = {}) {
  const runs: number[] = [];
  return {
    runs,
    indices,
    batch,
    store: store ?? openStore(await temporaryFolder()),
    ref,
    signal: new AbortController().signal,
    onProgress: () => {},
    encoder: {
      preprocess,
      encode: (pixels: Float32Array, count: number, first: number) => {
        runs.push(count);
        const features = Array.from({ length: count }, (_, i) => [pixels[3 * i]!, first + i]);
        return Promise.resolve(tensor([count, 2], Float32Array.from(features.flat())));
      },
      close: () => Promise.resolve(),
    },
  };
}

async function stored(store: Store): Promise<number[]> {
  const rows = await storedRows({ store, ref, rows: 130, onMissing: () => new Error("missing") });
  assert.deepEqual(rows!.shape, [130, 2]);
  return [...(await allRows(rows!)).data];
}

const expected = indices.flatMap((red, row) => [Math.fround(red / 255), row]);

Deno.test("storeImageFeatures() puts the images' features in the order of the indices", async () => {
  const given = await options();
  await storeImageFeatures(images, given);
  assert.deepEqual(await stored(given.store), expected);
  assert.deepEqual(given.runs, [32, 32, 32, 32, 2]);
});

Deno.test("storeImageFeatures() computes only the parts that the store lacks", async () => {
  assert.equal(rowsPerBlock, 64);
  const first = await options();
  await storeImageFeatures(images, first);
  assert.deepEqual(await missingBlocks(130, first), []);
  await Deno.remove(`${first.store.root}/features/ab/${ref.key}/rows-00000064`);
  assert.deepEqual(await missingBlocks(130, first), [64]);
  await assert.rejects(stored(first.store), /missing/);
  const second = await options({ store: first.store });
  await storeImageFeatures(images, second);
  assert.deepEqual(second.runs, [32, 32]);
  assert.deepEqual(await stored(first.store), expected);
});

Deno.test("storeImageFeatures() keeps finished parts when an image cannot be read", async () => {
  const given = await options();
  const broken: ImageSet = {
    ...images,
    read: (index) => index === 0 ? Promise.reject(new Error("image 0")) : images.read(index),
  };
  await assert.rejects(storeImageFeatures(broken, given), /image 0/);
  const after = await options({ store: given.store });
  await storeImageFeatures(images, after);
  assert.deepEqual(after.runs, [2], "only the last part, with image 0, was left");
});

Deno.test("storeImageFeatures() names an image whose features are not finite", async () => {
  const given = await options();
  const encode = (_: Float32Array, count: number) =>
    Promise.resolve(tensor([count, 1], new Float32Array(count).fill(NaN)));
  await assert.rejects(
    storeImageFeatures(images, { ...given, encoder: { ...given.encoder, encode } }),
    (error: Error) => error instanceof UserError && /image 129 of pixels/.test(error.message),
  );
});

Deno.test("storeImageFeatures() refuses an image of another size in whichever part it is", async () => {
  for (const odd of [3, 100]) {
    const mixed: ImageSet = {
      ...images,
      decode: async (bytes, id) =>
        bytes[0] === odd
          ? { width: 1, height: 2, data: new Uint8Array(6) }
          : await images.decode(bytes, id),
    };
    const given = await options();
    await assert.rejects(
      storeImageFeatures(mixed, given),
      (error: Error) =>
        error instanceof UserError &&
        error.message.startsWith(`The image ${odd} (1x2) is 1x2 after preprocessing`),
    );
    const fixed = { ...given, encoder: { ...given.encoder, imageSize: 2 } };
    await assert.rejects(storeImageFeatures(images, fixed), /the model takes 2x2/);
  }
});

Deno.test("storeImageFeatures() tells the number and the names of all images that cannot be read", async () => {
  const broken: ImageSet = {
    ...images,
    read: (index) =>
      index % 50 === 7
        ? Promise.reject(new UnreadableImageError(`${index}`, "it is truncated"))
        : images.read(index),
  };
  const given = await options();
  await assert.rejects(
    storeImageFeatures(broken, given),
    /Cannot read 3 of 130 images of pixels: 107 .*, 57 .*, 7 .*"unreadable" to "skip"/,
  );
});

Deno.test("fillPrompt() puts the concept into the template", () => {
  assert.equal(fillPrompt("a photo of the {}.", "striped"), "a photo of the striped.");
});

Deno.test("conceptTextFeatures() sorts encoded prompts by concept and template", async () => {
  const code = (text: string) => [text.length, text.charCodeAt(0)];
  const encode = (texts: readonly string[]) =>
    Promise.resolve(tensor([texts.length, 2], Float32Array.from(texts.flatMap(code))));
  const { prompt, ensemble } = await conceptTextFeatures(["red", "striped"], {
    prompt: "a {}",
    ensemble: ["b {}!", "c the {}"],
    encode,
  });
  assert.deepEqual(prompt, tensor([2, 2], Float32Array.of(5, 97, 9, 97)));
  assert.deepEqual(ensemble.shape, [2, 2, 2]);
  assert.deepEqual([...ensemble.data], [6, 98, 9, 99, 10, 98, 13, 99]);
});
