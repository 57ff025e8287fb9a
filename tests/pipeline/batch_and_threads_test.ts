import assert from "node:assert/strict";
import { join } from "node:path";
import { allRows, storedRows, storeImageFeatures } from "../../lib/activations/mod.ts";
import { builtBackboneSchema, loadConfig, withSizes } from "../../lib/config/mod.ts";
import type { ImageSet } from "../../lib/images/mod.ts";
import { openEncoder } from "../../lib/pipeline/models.ts";
import { openStore } from "../../lib/store/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const repository = join(import.meta.dirname!, "..", "..");
const count = 66;

/** Images of noise, of the world's size: a full part and two more. */
const images: ImageSet = {
  name: "noise",
  ids: Array.from({ length: count }, (_, index) => `${index}`),
  read: (index) => Promise.resolve(Uint8Array.of(index)),
  decode: ([index]) => {
    const random = createRandom("noise").split(`${index}`);
    const data = Uint8Array.from({ length: 3 * 64 * 64 }, () => random.between(0, 256));
    return Promise.resolve({ width: 64, height: 64, data });
  },
};

/** The features of the images by a backbone of the zoo. */
async function features(
  name: string,
  { batch, threads }: { readonly batch: number; readonly threads: number },
): Promise<Float32Array> {
  const path = join(repository, "configs", "backbones", `${name}.json`);
  const config = withSizes(await loadConfig(path, builtBackboneSchema), "world");
  const file = join(repository, "zoo", `${name}.safetensors`);
  const encoder = await openEncoder({ type: "built", config, file }, {
    remark: () => {},
    output: "features",
    device: "cpu",
    threads,
  });
  const store = openStore(await temporaryFolder());
  const ref = { stage: "features", key: "ab".repeat(32) };
  await storeImageFeatures(images, {
    indices: images.ids.map((_, index) => index),
    batch,
    encoder,
    store,
    ref,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  await encoder.close();
  const rows = await storedRows({ store, ref, rows: count, onMissing: () => new Error("missing") });
  return (await allRows(rows!)).data;
}

// Batch and threads are in no key of a stage; that is right as long as this holds.
for (const name of ["resnet18", "vit_b_16"]) {
  Deno.test(`storeImageFeatures() of ${name} gives the same bits whatever the batch and the threads`, async () => {
    const expected = await features(name, { batch: 64, threads: 1 });
    assert.ok(expected.every(Number.isFinite) && new Set(expected).size > 1000);
    for (const choice of [[1, 1], [7, 1], [64, 2], [7, 2], [1, 2]] as const) {
      const [batch, threads] = choice;
      const actual = await features(name, { batch, threads });
      const different = actual.filter((value, i) => value !== expected[i]).length;
      assert.equal(different, 0, `batch ${batch}, ${threads} threads: ${different} values differ`);
    }
  });
}
