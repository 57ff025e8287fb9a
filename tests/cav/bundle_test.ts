import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type Bundle,
  type BundleConfig,
  bundleConfigSchema,
  placeBundle,
  readBundle,
  requireSameModel,
  signConvention,
  writeBundleFiles,
} from "../../lib/cav/mod.ts";
import { sha256, UserError } from "../../lib/files/mod.ts";
import { tensor, writeSafetensors } from "../../lib/tensor/mod.ts";

const hash = "0123456789abcdef".repeat(4);
const preprocess = {
  resize: null,
  interpolation: "bilinear",
  crop: 8,
  mean: [0, 0, 0],
  std: [1, 1, 1],
} as const;
const config: BundleConfig = bundleConfigSchema.parse({
  schema: "lg-cav/bundle",
  version: 1,
  model: { name: "m.onnx", sha256: hash, layer: "view", dim: 2, preprocess },
  vlModel: { name: "clip", revision: hash },
  concepts: [{ name: "red", phrase: "red" }, { name: "großer | *Punkt*", phrase: "dots" }],
  prompts: { prompt: "a {}", ensemble: [] },
  methods: [{ id: "lg_cav", title: "LG-CAV", base: "lg_cav", parts: [], hyperparameters: {} }],
  seeds: [0],
  sign: signConvention,
  settings: {},
});
const bundle: Bundle = {
  config,
  metrics: {
    heldOutImages: 5,
    concepts: config.concepts.map(({ name }) => ({
      concept: name,
      method: "lg_cav",
      fit: 0.5,
      controlFit: null,
      angleBetweenSeeds: null,
      spread: 0.1,
      concerns: name === "red" ? [] : ["The images hardly vary in this concept."],
    })),
  },
  tensors: {
    vectors: tensor([1, 1, 2, 2], Float32Array.of(1, 2, -3, 4.5)),
    thresholds: tensor([1, 1, 2], Float32Array.of(0.25, -1)),
    featureMean: tensor([2], Float32Array.of(7, 8)),
    controls: tensor([1, 2, 2], Float32Array.of(1, 0, 0, 1)),
  },
};
const evidence = [{ name: "0001.png", bytes: Uint8Array.of(1, 2, 3) }];

async function written(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "bundle-" });
  await writeBundleFiles(folder, bundle, { evidence });
  return folder;
}

Deno.test("readBundle() gives back what was written, in a fresh process", async () => {
  const folder = await written();
  const source = `
    import { readBundle } from ${JSON.stringify(import.meta.resolve("../../lib/cav/mod.ts"))};
    const { config, metrics, tensors } = await readBundle(Deno.args[0]);
    const plain = Object.entries(tensors).map(([k, t]) => [k, { shape: t.shape, data: [...t.data] }]);
    console.log(JSON.stringify({ config, metrics, tensors: Object.fromEntries(plain) }));`;
  const configFile = join(import.meta.dirname!, "..", "..", "deno.json");
  const script = join(await Deno.makeTempDir(), "read.ts");
  await Deno.writeTextFile(script, source);
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", "--config", configFile, script, folder],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const read = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual(read.config, JSON.parse(JSON.stringify(config)));
  assert.deepEqual(read.metrics, bundle.metrics);
  for (const [name, { shape, data }] of Object.entries(bundle.tensors)) {
    assert.deepEqual(read.tensors[name], { shape, data: [...data] });
  }
});

Deno.test("writeBundleFiles() lists the SHA-256 of every other file and escapes a user's words", async () => {
  const folder = await written();
  const { files } = JSON.parse(await Deno.readTextFile(join(folder, "manifest.json")));
  assert.deepEqual(Object.keys(files).sort(), [
    "README.md",
    "cavs.safetensors",
    "config.json",
    "evidence/0001.png",
    "metrics.json",
  ]);
  for (const [name, expected] of Object.entries(files)) {
    assert.equal(sha256(await Deno.readFile(join(folder, name))), expected);
  }
  const card = await Deno.readTextFile(join(folder, "README.md"));
  assert.match(card, /\| großer \\\| \\\*Punkt\\\* \| lg\\_cav \| 0\.50 \|/);
  assert.match(card, /\*\*The images hardly vary in this concept\.\*\*/);
});

Deno.test("readBundle() refuses what is damaged or hostile in one sentence", async () => {
  /** Replaces a file, and tells the manifest, as somebody would who means it. */
  const replaced =
    (name: string, change: (bytes: Uint8Array) => Uint8Array) => async (folder: string) => {
      const bytes = change(await Deno.readFile(join(folder, name)));
      await Deno.writeFile(join(folder, name), bytes);
      const path = join(folder, "manifest.json");
      const manifest = JSON.parse(await Deno.readTextFile(path));
      manifest.files[name] = sha256(bytes);
      await Deno.writeTextFile(path, JSON.stringify(manifest));
    };
  // deno-lint-ignore no-explicit-any
  const edited = (change: (json: any) => void) =>
    replaced("config.json", (bytes) => {
      const json = JSON.parse(new TextDecoder().decode(bytes));
      change(json);
      return new TextEncoder().encode(JSON.stringify(json));
    });
  const tensors = (vectors: Float32Array, shape: readonly number[]) =>
    replaced("cavs.safetensors", () =>
      writeSafetensors(
        new Map([
          ["vectors", tensor(shape, vectors)],
          ["thresholds", bundle.tensors.thresholds],
          ["feature_mean", bundle.tensors.featureMean],
          ["controls", bundle.tensors.controls],
        ]),
        {},
        { dtype: "F32" },
      ));
  const faults: Record<string, readonly [(folder: string) => Promise<void>, RegExp]> = {
    "a changed file": [
      (folder) => Deno.writeTextFile(join(folder, "config.json"), "{}"),
      /config\.json has SHA-256 .* manifest says/,
    ],
    "a missing file": [(folder) => Deno.remove(join(folder, "cavs.safetensors")), /not there/],
    "no manifest": [
      (folder) => Deno.remove(join(folder, "manifest.json")),
      /manifest\.json is not/,
    ],
    "a manifest that is no object": [
      (folder) => Deno.writeTextFile(join(folder, "manifest.json"), "null"),
      /lists no files/,
    ],
    "a truncated file": [
      replaced("cavs.safetensors", (bytes) => bytes.slice(0, bytes.length - 3)),
      /cavs\.safetensors is damaged/,
    ],
    "a huge header": [
      replaced("cavs.safetensors", (bytes) => bytes.fill(0xff, 0, 8)),
      /cavs\.safetensors is damaged .*header claims/,
    ],
    "more data than the config asks for": [
      replaced("cavs.safetensors", () => new Uint8Array(1_000_000)),
      /has 1000000 bytes/,
    ],
    "a wrong shape": [
      tensors(new Float32Array(4).fill(1), [1, 1, 1, 4]),
      /vectors are \[1,1,1,4\]/,
    ],
    "a number that is none": [
      tensors(Float32Array.of(1, 2, NaN, 4), [1, 1, 2, 2]),
      /vectors are not all finite/,
    ],
    "another version": [edited((json) => json.version = 2), /format 2, and 1 is read/],
    "an unknown field": [edited((json) => json.run = "rm"), /config\.json failed/],
    "no concept": [edited((json) => json.concepts = []), /concepts/],
    "a vector of no length": [edited((json) => json.model.dim = 0), /model\.dim/],
    "more concepts than vectors": [
      edited((json) => json.concepts.push({ name: "c", phrase: "c" })),
      /vectors are \[1,1,2,2\], and \[1,1,3,2\]/,
    ],
  };
  for (const [name, [fault, message]] of Object.entries(faults)) {
    const folder = await written();
    await fault(folder);
    await assert.rejects(readBundle(folder), (error: Error) => {
      assert.ok(error instanceof UserError, `${name}: ${error.stack}`);
      assert.match(error.message, message, name);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
  await assert.rejects(readBundle("/nowhere/at/all"), /there is no such folder/);
});

Deno.test("requireSameModel() refuses another model, layer or preprocessing with both hashes", () => {
  const other = "f".repeat(64);
  const { model } = config;
  requireSameModel(config, { ...model, preprocess: { ...preprocess } });
  const refused = (changes: Partial<typeof model>, message: RegExp) =>
    assert.throws(() => requireSameModel(config, { ...model, ...changes }), message);
  refused({ sha256: other }, new RegExp(`${hash}, and this is ${other}`));
  refused(
    { layer: "relu", sha256: hash },
    /the layer view, and this is relu .*models with SHA-256/,
  );
  refused({ preprocess: { ...preprocess, crop: 9 } }, /"crop":8.*"crop":9/);
});

Deno.test("placeBundle() replaces a bundle whole and nothing else", async () => {
  const parent = await Deno.makeTempDir({ prefix: "bundle-" });
  const [from, target] = [await written(), join(parent, "new", "mine")];
  await placeBundle(from, target);
  await Deno.writeTextFile(join(target, "evidence", "old.png"), "old");
  await placeBundle(from, target);
  assert.equal((await readBundle(target)).config.model.name, "m.onnx");
  const names = [...Deno.readDirSync(join(target, "evidence"))].map(({ name }) => name);
  assert.deepEqual(names, ["0001.png"]);
  const leftovers = [...Deno.readDirSync(join(parent, "new"))].map(({ name }) => name);
  assert.deepEqual(leftovers, ["mine"]);
  const photos = join(parent, "photos");
  await Deno.mkdir(photos);
  await Deno.writeTextFile(join(photos, "a.jpg"), "mine");
  await assert.rejects(placeBundle(from, photos), /is no bundle/);
  assert.equal(await Deno.readTextFile(join(photos, "a.jpg")), "mine");
});
