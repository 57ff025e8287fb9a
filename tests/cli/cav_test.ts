import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { tableFromIPC } from "@uwdata/flechette";
import { readBundle } from "../../lib/cav/mod.ts";
import { encodePng } from "../../lib/images/mod.ts";
import { cosine } from "../../lib/tensor/mod.ts";
import { colourClassifier } from "./_own_classifier.ts";
import { edit, miniRoot, runCli } from "./_mini_root.ts";

/** Images of one colour each, 64 pixels wide, red growing with the number; names as people have them. */
async function writePhotos(folder: string, count: number): Promise<void> {
  await Deno.mkdir(join(folder, "zwei Wörter"), { recursive: true });
  for (let i = 0; i < count; i++) {
    const data = new Uint8Array(3 * 64 * 64);
    for (let at = 0; at < data.length; at++) {
      data[at] = at % 3 === 0 ? Math.round(255 * i / count) : (i * 37 + at % 3 * 91) % 256;
    }
    const name = i % 2 === 0 ? `photo, ${i}.png` : `zwei Wörter/photo ${i}.png`;
    await Deno.writeFile(join(folder, name), encodePng({ width: 64, height: 64, data }));
  }
}

Deno.test("cav trains, scores and inspects a user's own model", async (t) => {
  const root = await miniRoot();
  const photos = join(await Deno.makeTempDir(), "my photos");
  await writePhotos(photos, 40);
  await Deno.writeTextFile(join(photos, "broken.jpg"), "no image");
  const model = join(root, "own model.onnx");
  const names = ["a", "b", "c"];
  await Deno.writeFile(model, colourClassifier({ classNames: names }));
  const words = join(root, "words.txt");
  const preprocess = join(root, "preprocess.json");
  await Deno.writeTextFile(
    preprocess,
    JSON.stringify({
      resize: null,
      interpolation: "bilinear",
      crop: 64,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
    }),
  );
  const cav = (...args: string[]) => runCli(root, ["cav", ...args]);
  const train = (out: string, ...args: string[]) =>
    cav(
      ...["train", "--model", model, "--profile", "world", "--probes", photos],
      ...["--concepts", words, "--preprocess", preprocess, "--seeds", "2", "--out", out, ...args],
    );

  await t.step("from words alone, with the broken image named", async () => {
    await Deno.writeTextFile(words, "red\nblue: the colour of the sky\n");
    const { code, stderr, stdout } = await train("bundle");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Left out 1 images of .*my photos that cannot be read: broken\.jpg/);
    assert.match(stdout, /^concept +method +fit/);
    const { config } = await readBundle(join(root, "bundle"));
    assert.deepEqual(config.concepts, [
      { name: "red", phrase: "red" },
      { name: "blue", phrase: "blue, the colour of the sky" },
    ]);
    assert.equal(config.model.dim, 16);
    assert.equal(config.vlModel.name, "tiny_clip");
  });

  await t.step("one more word trains one word, and a bundle made at once is the same", async () => {
    await Deno.writeTextFile(words, "red\nblue: the colour of the sky\ngreen\n");
    const { code, stderr } = await train("bundle");
    assert.equal(code, 0, stderr);
    const trained = [...stderr.matchAll(/\] (cav own model.onnx .*) \(/g)].map(([, id]) => id);
    assert.deepEqual(trained, [
      "cav own model.onnx random_cav green seed 0 and 1 more",
      "cav own model.onnx lg_cav+ga+ce green seed 0 and 1 more",
    ]);
    assert.doesNotMatch(stderr, /\] features/);
    await Deno.remove(join(root, ".cache"), { recursive: true });
    await cp(model, join(root, "renamed.onnx"));
    const again = await train("again");
    assert.equal(again.code, 0, again.stderr);
    for (const name of ["cavs.safetensors", "config.json", "metrics.json", "manifest.json"]) {
      const [one, other] = ["bundle", "again"].map((folder) =>
        Deno.readTextFileSync(join(root, folder, name))
      );
      assert.equal(one, other, name);
    }
  });

  await t.step("scores are the mean cosines of vectors and features", async () => {
    const { code, stderr } = await cav(
      ...["score", "bundle", "--images", photos, "--model", "renamed.onnx", "--out", "scores"],
    );
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /\] features/, "the same model by another name");
    const table = tableFromIPC(await Deno.readFile(join(root, "scores", "scores.arrow")));
    assert.deepEqual(table.names, ["image", "red", "blue", "green"]);
    assert.equal(table.numRows, 40);
    const csv = await Deno.readTextFile(join(root, "scores", "scores.csv"));
    assert.match(csv, /^image,red,blue,green\n"photo, 0\.png",/);
    const values: number[] = [...table.getChild("red").toArray()];
    assert.ok(values.every((value) => value >= -1 && value <= 1));
    const top = (await Deno.readTextFile(join(root, "scores", "top.csv"))).split("\n");
    assert.equal(top[0], "concept,end,rank,image,activation");
    assert.ok(top[1]!.endsWith(String(Math.max(...values))), top[1]);
  });

  await t.step("labelled images add the classification loss and DSR", async () => {
    await Deno.writeTextFile(words, "red\nblue\n");
    const positives = join(root, "positives");
    for (const word of ["red", "blue"]) await writePhotos(join(positives, word), 4);
    await edit(join(root, "configs", "cav.json"), (json) => json.shots.value = 3);
    const { code, stderr } = await train(
      ...["labelled", "--positives", positives, "--method", "lg_cav+ga+ce+dsr,original_cav"] as [
        string,
        ...string[],
      ],
    );
    assert.equal(code, 0, stderr);
    const { config, tensors } = await readBundle(join(root, "labelled"));
    assert.deepEqual(config.methods.map(({ id }) => id), ["lg_cav+ga+ce+dsr", "original_cav"]);
    assert.deepEqual(tensors.vectors.shape, [2, 2, 2, 16]);
    const [guided, classifier] = [0, 1].map((method) =>
      tensors.vectors.data.subarray(method * 64, method * 64 + 16)
    );
    assert.ok(Math.abs(cosine(guided!, classifier!)) < 0.999);
    await Deno.writeTextFile(words, "red\nblue\ngreen\n");
    const missing = await train("labelled", "--positives", positives);
    assert.equal(missing.code, 2, missing.stderr);
    assert.match(missing.stderr, /has no folder "green" with images/);
  });

  await t.step("a mistake is a sentence, and nothing is written", async () => {
    const other = join(root, "other.onnx");
    await Deno.writeFile(other, colourClassifier({ classNames: ["a", "b"] }));
    const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
      [
        ["score", "bundle", "--images", photos, "--out", "x"],
        /ONNX file own model\.onnx .* --model/,
      ],
      [
        ["score", "bundle", "--images", photos, "--out", "x", "--model", other],
        /made for the model with SHA-256 [0-9a-f]{64}, and this is [0-9a-f]{64}/,
      ],
      [["score", "words.txt", "--images", photos, "--out", "x"], /no bundle/],
      [["inspect", "nowhere.onnx"], /there is no such file/],
      [["inspect", "resnet99"], /no backbone "resnet99"/],
    ];
    for (const [args, message] of mistakes) {
      const { code, stderr } = await cav(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }
    const mistaken = async (message: RegExp, out: string, ...args: string[]) => {
      const { code, stderr } = await train(out, ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    };
    await mistaken(/no bundle.*--out/, photos);
    await mistaken(/has no value "relu9"/, "x", "--layer", "relu9");
    await mistaken(/learns from labelled images/, "x", "--method", "original_cav");
    await mistaken(/it knows nothing of the words/, "x", "--method", "random_words");
    await mistaken(/it looks at all words at once/, "x", "--method", "lg_cav+splice");
    await mistaken(/no VL model "clap"\. Known: /, "x", "--vl", "clap");
  });

  await t.step("inspect tells features, logits and a gradient that is right", async () => {
    const { code, stdout, stderr } = await cav("inspect", model, "--json");
    assert.equal(code, 0, stderr);
    const { lastLayer, image, gradientCheck } = JSON.parse(stdout);
    assert.deepEqual(lastLayer.weight, [3, 16]);
    assert.equal(image.imageSize, 64);
    assert.ok(gradientCheck.error < 1e-3, stdout);
  });
});

Deno.test("cav train runs on the embedded world without any file but the words", async () => {
  const root = await miniRoot();
  await Deno.writeTextFile(join(root, "words.txt"), "red\nstriped\n");
  const { code, stderr } = await runCli(root, [
    ...["cav", "train", "--model", "resnet18", "--probes", "world", "--concepts", "words.txt"],
    ...["--out", "bundle"],
  ]);
  assert.equal(code, 0, stderr);
  const { config, metrics } = await readBundle(join(root, "bundle"));
  assert.equal(config.model.profile, "world");
  assert.equal(config.seeds.length, 4);
  assert.equal(metrics.heldOutImages, 16, "a fifth of two images of each of forty classes");
});
