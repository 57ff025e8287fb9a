import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { hubModelSchema, loadConfig } from "../../lib/config/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { openVlModel, vlModelHash } from "../../lib/models/mod.ts";
import { row } from "../../lib/tensor/mod.ts";
import { worldConcepts } from "../../lib/world/mod.ts";

const models = new URL("../fixtures/models/", import.meta.url).pathname;
const root = new URL("../../", import.meta.url).pathname;
const configs = `${root}configs/vl/`;
const folder = `${models}tiny-clip`;
const options = { device: "cpu", hubFolder: "/none", threads: 1 } as const;
/** In the order of the model's hash. */
const FILES = [
  "config.json",
  "onnx/text_model.onnx",
  "onnx/vision_model.onnx",
  "preprocessor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
];
const reference = JSON.parse(await Deno.readTextFile(`${folder}/reference.json`)) as {
  texts: string[];
  text_embeds: number[][];
  image_embeds: number[][];
};

function assertClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => assert.ok(Math.abs(actual[i]! - value) < 1e-5, `${i}`));
}

Deno.test("openVlModel() embeds texts and images as PyTorch does", async () => {
  const model = await openVlModel({ name: "tiny", folder }, options);
  try {
    const texts = await model.embedTexts(reference.texts);
    assert.deepEqual(texts.shape, [2, 8]);
    assertClose(texts.data, reference.text_embeds.flat());
    const pixels = Float32Array.from({ length: 2 * 3 * 16 * 16 }, (_, i) => Math.sin(i * 0.1));
    const images = await model.embedImages(pixels, 2);
    assert.deepEqual(images.shape, [2, 8]);
    assertClose(images.data, reference.image_embeds.flat());
    await assert.rejects(model.embedImages(pixels, 3), /takes \[3,3,16,16\] pixels, not 1536/);
  } finally {
    await model.close();
  }
});

Deno.test("embedTexts() gives a text the same features whatever it is padded with", async () => {
  const model = await openVlModel({ name: "tiny", folder }, options);
  try {
    // More texts than one run takes; the short ones are padded beside the long one.
    const texts = Array.from({ length: 40 }, (_, i) => reference.texts[i % 7 === 3 ? 1 : 0]!);
    const many = await model.embedTexts(texts);
    for (const i of texts.keys()) {
      assertClose(row(many, i), reference.text_embeds[i % 7 === 3 ? 1 : 0]!);
    }
    assert.deepEqual((await model.embedTexts([])).shape, [0, 8]);
    assert.deepEqual((await model.embedImages(new Float32Array(), 0)).shape, [0, 8]);
  } finally {
    await model.close();
  }
});

Deno.test("embedTexts() cuts a text that is too long before its mark of end", async () => {
  const model = await openVlModel({ name: "tiny", folder }, options);
  try {
    // 24 tokens are taken: two marks and 22 words, whatever follows.
    const words = (count: number) => "circle ".repeat(count);
    const cut = await model.embedTexts([words(22), words(23), words(100)]);
    assertClose(row(cut, 1), [...row(cut, 0)]);
    assertClose(row(cut, 2), [...row(cut, 0)]);
    const { truncated } = model.describeTexts([words(22), words(23), words(100)]);
    assert.deepEqual(truncated, [words(23), words(100)]);
  } finally {
    await model.close();
  }
});

Deno.test("describeTexts() names the words that the tokenizer does not hold whole", async () => {
  const tiny = await openVlModel({ name: "tiny", folder }, options);
  const texts = ["a photo of the Red circle", "a zigzag sky, and the \u00e9migr\u00e9's zigzag"];
  assert.deepEqual(tiny.describeTexts(texts).unknownWords, ["and", "zigzag", "\u00e9migr\u00e9"]);
  assert.deepEqual(tiny.describeTexts([]), { unknownWords: [], truncated: [] });
  await tiny.close();
  const world = await openVlModel(
    { name: "world", folder: `${root}zoo/world-clip-rn50x16` },
    options,
  );
  const known = world.describeTexts(worldConcepts().map(({ value }) => `a photo of the ${value}`));
  assert.deepEqual(known, { unknownWords: [], truncated: [] });
  const gaps = world.describeTexts(["spiky", "a photo of the spiky star"]);
  assert.deepEqual(gaps, { unknownWords: ["spiky"], truncated: [] });
  await world.close();
});

Deno.test("openVlModel() reads the preprocessing and hashes the files like sha256sum", async () => {
  const model = await openVlModel({ name: "tiny", hub: "models/tiny-clip" }, {
    ...options,
    hubFolder: new URL("../fixtures/", import.meta.url).pathname,
  });
  await model.close();
  assert.deepEqual(model.preprocess, {
    resize: { shorter: 16 },
    interpolation: "bicubic",
    crop: 16,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
    rules: "transformers",
  });
  const lines = [];
  for (const file of FILES) {
    const digest = createHash("sha256").update(await Deno.readFile(`${folder}/${file}`));
    lines.push(`${digest.digest("hex")}  ${file}\n`);
  }
  assert.equal(
    await vlModelHash({ name: "tiny", folder }, options),
    createHash("sha256").update(lines.join("")).digest("hex"),
  );
});

Deno.test("openVlModel() says what is missing and how to get it", async () => {
  await assert.rejects(openVlModel({ name: "clip", hub: "Xenova/clip" }, options), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /clip: \/none\/Xenova\/clip\/config\.json .*data fetch clip/);
    return true;
  });
  await assert.rejects(
    openVlModel({ name: "own", folder: "/none/own" }, options),
    { name: "UserError", message: /Correct the folder/ },
  );
});

Deno.test("vlModelHash() refuses a file of another hash than its card states", async () => {
  const copy = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${copy}/onnx`);
    for (const file of FILES) await Deno.copyFile(`${folder}/${file}`, `${copy}/${file}`);
    const digest = createHash("sha256").update(await Deno.readFile(`${copy}/config.json`));
    const sha256 = { "config.json": digest.digest("hex"), "onnx/text_model.onnx": "0".repeat(64) };
    await Deno.writeTextFile(`${copy}/card.json`, JSON.stringify({ name: "own", sha256 }));
    await assert.rejects(
      vlModelHash({ name: "own", folder: copy }, options),
      { name: "UserError", message: /text_model\.onnx has SHA-256 .* card\.json .* says 0{64}/ },
    );
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test("openVlModel() refuses a preprocessing that it cannot do", async () => {
  const copy = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${copy}/onnx`);
    for (const file of FILES) await Deno.copyFile(`${folder}/${file}`, `${copy}/${file}`);
    const path = `${copy}/preprocessor_config.json`;
    const config = JSON.parse(await Deno.readTextFile(path));
    const cases: readonly [string, unknown, RegExp][] = [
      ["resample", 0, /failed at resample/],
      ["rescale_factor", 1, /failed at rescale_factor/],
      ["crop_size", { width: 16, height: 8 }, /failed at crop_size/],
      ["do_normalize", false, /failed at do_normalize/],
      ["image_std", [1, 0, 1], /failed at std/],
    ];
    for (const [field, value, message] of cases) {
      await Deno.writeTextFile(path, JSON.stringify({ ...config, [field]: value }));
      await assert.rejects(
        openVlModel({ name: "odd", folder: copy }, options),
        { name: "UserError", message },
      );
    }
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test("openVlModel() names the model whose files or device fail, without a stack", async () => {
  const copy = await Deno.makeTempDir();
  const mistake = (message: RegExp) => ({ name: "UserError", message });
  try {
    await Deno.mkdir(`${copy}/onnx`);
    for (const file of FILES) await Deno.copyFile(`${folder}/${file}`, `${copy}/${file}`);
    const open = () => openVlModel({ name: "own", folder: copy }, options);
    for (const file of FILES) {
      if (file === "config.json" || file === "tokenizer_config.json") continue;
      const good = await Deno.readFile(`${copy}/${file}`);
      await Deno.writeFile(`${copy}/${file}`, good.subarray(0, good.length / 2));
      await assert.rejects(open(), mistake(/model own in .*Get its files again|is not JSON/), file);
      await Deno.writeFile(`${copy}/${file}`, good);
    }
    await (await open()).close();
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
  await assert.rejects(
    openVlModel({ name: "own", folder }, { ...options, device: "cuda" }),
    mistake(/model own .*on the device "cuda" failed: .*Use the device "cpu"/),
  );
});

Deno.test("every config of a VL model is valid and named by its file", async () => {
  for await (const { name } of Deno.readDir(configs)) {
    const config = await loadConfig(`${configs}${name}`, hubModelSchema);
    assert.equal(`${config.name}.json`, name);
  }
});
