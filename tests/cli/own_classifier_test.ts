import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256 } from "../../lib/files/mod.ts";
import { createGraph } from "../../lib/onnx/mod.ts";
import { createRandom, tensor } from "../../lib/tensor/mod.ts";
import { miniRoot, runCli } from "./_mini_root.ts";

/** A linear classifier of the mean colour, as an ONNX file: pixels [batch, 3, 64, 64] to 40 logits. */
function colourClassifier(classes: number): Uint8Array {
  const graph = createGraph("colours");
  const random = createRandom("colours");
  const values = (count: number) => Float32Array.from({ length: count }, random.normal);
  const pixels = graph.input("pixels", ["batch", 3, 64, 64]);
  const means = graph.node("Flatten", [graph.node("GlobalAveragePool", [pixels])]);
  const hidden = graph.node("Relu", [
    graph.node("Gemm", [means, graph.constant(tensor([3, 16], values(48)))]),
  ]);
  const last = [tensor([16, classes], values(16 * classes)), tensor([classes], values(classes))];
  const logits = graph.node("Gemm", [hidden, ...last.map((weight) => graph.constant(weight))]);
  graph.output(logits, "logits", ["batch", classes]);
  return graph.build();
}

async function rootWithClassifier(classes: number): Promise<string> {
  const root = await miniRoot();
  await Deno.mkdir(join(root, "data"));
  await Deno.writeFile(join(root, "data", "mine.onnx"), colourClassifier(classes));
  const names = Array.from({ length: classes }, (_, i) => `class ${i}`).join("\n");
  await Deno.writeTextFile(join(root, "data", "mine.txt"), names);
  await Deno.writeTextFile(
    join(root, "configs", "backbones", "mine.json"),
    JSON.stringify({
      name: "mine",
      family: "onnx",
      file: "data/mine.onnx",
      classNames: "data/mine.txt",
      preprocess: {
        resize: null,
        interpolation: "bilinear",
        crop: null,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
      },
    }),
  );
  return root;
}

Deno.test("reproduce takes a user's own ONNX classifier as a backbone", async () => {
  const root = await rootWithClassifier(40);
  const { code, stderr } = await runCli(root, ["reproduce", "table1", "--backbones", "mine"]);
  assert.equal(code, 0, stderr);
  const folder = join(root, "results", "world", "table1");
  const table = JSON.parse(await Deno.readTextFile(join(folder, "table.json")));
  assert.deepEqual(table.columns.map(({ backbone }: { backbone: string }) => backbone), ["mine"]);
  const runs = (await Deno.readTextFile(join(folder, "runs.csv"))).trim().split("\n").slice(1);
  assert.equal(runs.length, 7 * 2 * 49, "seven methods, two seeds, 49 concepts");
  const manifest = JSON.parse(await Deno.readTextFile(join(folder, "manifest.json")));
  const file = await Deno.readFile(join(root, "data", "mine.onnx"));
  assert.equal(manifest.models.mine.weights, sha256(file));
});

Deno.test("reproduce refuses a classifier with fewer classes than the pairs name", async () => {
  const root = await rootWithClassifier(10);
  const { code, stderr } = await runCli(root, ["reproduce", "table2", "--backbones", "mine"]);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /mine has 10 logits/);
});
