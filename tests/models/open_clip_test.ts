import assert from "node:assert/strict";
import type { HubModelConfig } from "../../lib/config/mod.ts";
import { sha256, UserError } from "../../lib/files/mod.ts";
import { decodeImage, preprocess } from "../../lib/images/mod.ts";
import { openVlModel, type VlModel, vlModelHash } from "../../lib/models/mod.ts";
import { norm, row } from "../../lib/tensor/mod.ts";

const fixtures = new URL("../fixtures/", import.meta.url).pathname;
const folder = `${fixtures}models/tiny-open-clip`;
const config = { name: "tiny", folder, layout: "open_clip" } as const;
const options = { device: "cpu", hubFolder: "/none", threads: 1 } as const;

interface Reference {
  readonly texts: readonly string[];
  readonly text_features: readonly (readonly number[])[];
  readonly images: readonly string[];
  readonly image_features: readonly (readonly number[])[];
  /** Of the float32 pixels that open_clip makes of each image. */
  readonly pixels_sha256?: readonly string[];
}

async function inModel(
  work: (model: VlModel, reference: Reference) => Promise<void>,
  opened: HubModelConfig & { readonly folder: string } = config,
) {
  const model = await openVlModel(opened, options);
  try {
    await work(model, JSON.parse(await Deno.readTextFile(`${opened.folder}/reference.json`)));
  } finally {
    await model.close();
  }
}

async function pixelsOf(model: VlModel, files: readonly string[]): Promise<Float32Array> {
  const pixels: number[] = [];
  for (const file of files) {
    const bytes = await Deno.readFile(`${fixtures}data/images/${file}`);
    pixels.push(...preprocess(await decodeImage(bytes, file), model.preprocess));
  }
  return Float32Array.from(pixels);
}

function assertRows(
  actual: { readonly shape: readonly number[]; readonly data: Float32Array },
  expected: readonly (readonly number[])[],
) {
  assert.deepEqual(actual.shape, [expected.length, expected[0]!.length]);
  expected.flat().forEach((value, i) =>
    assert.ok(Math.abs(actual.data[i]! - value) < 1e-5, `${i}: ${actual.data[i]} ${value}`)
  );
}

Deno.test("openVlModel() reads an OpenCLIP export: texts and photographs as open_clip", async () => {
  await inModel(async (model, { texts, text_features, images, image_features }) => {
    const embedded = await model.embedTexts(texts);
    assertRows(embedded, text_features);
    assert.ok(Math.abs(norm(row(embedded, 0)) - 1) < 1e-5, "the export normalises");
    assertRows(await model.embedImages(await pixelsOf(model, images), 3), image_features);
    assert.deepEqual(model.describeTexts(texts).truncated, [texts[1]], "the second is cut");
    assert.deepEqual((await model.embedTexts([])).shape, [0, 8]);
  });
});

Deno.test("openVlModel() reads an OpenCLIP export's preprocessing", async () => {
  await inModel((model) => {
    assert.deepEqual(model.preprocess, {
      resize: { shorter: 64 },
      interpolation: "bicubic",
      crop: 64,
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
      rules: "torchvision",
    });
    return Promise.resolve();
  });
});

Deno.test("openVlModel() refuses an OpenCLIP export that it cannot read, by name", async () => {
  const copy = await Deno.makeTempDir();
  try {
    for (const tower of ["textual", "visual"]) {
      await Deno.mkdir(`${copy}/${tower}`);
      for await (const { name } of Deno.readDir(`${folder}/${tower}`)) {
        await Deno.copyFile(`${folder}/${tower}/${name}`, `${copy}/${tower}/${name}`);
      }
    }
    const open = () => openVlModel({ ...config, folder: copy }, options);
    await assert.rejects(open(), { name: "UserError", message: /config\.json does not exist/ });
    await Deno.copyFile(`${folder}/config.json`, `${copy}/config.json`);
    const preprocess = `${copy}/visual/preprocess_cfg.json`;
    const good = await Deno.readTextFile(preprocess);
    for (
      const [field, value] of [["resize_mode", "longest"], ["size", [64, 32]], ["mode", "L"]]
    ) {
      const changed = { ...JSON.parse(good), [String(field)]: value };
      await Deno.writeTextFile(preprocess, JSON.stringify(changed));
      await assert.rejects(open(), {
        name: "UserError",
        message: new RegExp(`failed at ${field}`),
      });
    }
    await Deno.writeTextFile(preprocess, good);
    await Deno.copyFile(`${folder}/visual/model.onnx`, `${copy}/textual/model.onnx`);
    await assert.rejects(open(), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /it takes float32\[1,3,64,64\], where int32\[batch,14\] is read/);
      return true;
    });
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test("vlModelHash() names the files of the layout", async () => {
  await assert.rejects(
    vlModelHash({ name: "clip_rn50x16", hub: "immich-app/x", layout: "open_clip" }, options),
    { name: "UserError", message: /immich-app\/x\/config\.json .*data fetch clip_rn50x16/ },
  );
});

Deno.test("openVlModel() reads what tools/export_open_clip.py writes, CLIPA as open_clip", async () => {
  await inModel(async (model, { texts, text_features, images, image_features, pixels_sha256 }) => {
    assertRows(await model.embedTexts(texts), text_features);
    // A text alone: the tower sees the same padding, however short the batch.
    assertRows(await model.embedTexts(texts.slice(1, 2)), text_features.slice(1, 2));
    const pixels = await pixelsOf(model, images);
    const size = pixels.length / images.length;
    const hashes = images.map((_, i) =>
      sha256(new Uint8Array(pixels.buffer, 4 * i * size, 4 * size))
    );
    assert.deepEqual(hashes, pixels_sha256, "ImageNet's mean, bilinear, squashed: to the bit");
    assertRows(await model.embedImages(pixels, images.length), image_features);
    assert.deepEqual(model.describeTexts(texts), {
      unknownWords: ["spiky"],
      truncated: [texts[2]],
    });
  }, { name: "tiny", folder: `${fixtures}models/tiny-clipa` });
});
