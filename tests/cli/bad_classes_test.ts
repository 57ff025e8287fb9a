import assert from "node:assert/strict";
import { join } from "node:path";
import { row, type Tensor, tensor, zeros } from "../../lib/tensor/mod.ts";
import { runCli } from "./_mini_root.ts";
import { cifarOutput, paperRoot, writeWeights } from "./_paper_root.ts";

const backbone = "resnet20_cifar100";
const root = await paperRoot([backbone]);
const folder = join(root, "data", "cifar-100-binary");
const recordBytes = 2 + 3 * 32 * 32;

async function reproduce(...methods: string[]) {
  const args = ["reproduce", "table7", "--profile", "paper", "--backbones", backbone];
  const chosen = ["--methods", methods.join(","), "--seeds", "0"];
  // Of several stages that find a mistake one is the first.
  const outcome = await runCli(root, [...args, ...chosen, "--jobs", "1"]);
  assert.doesNotMatch(outcome.stderr, /\bat .*:\d+:\d+/, "no stack");
  return outcome;
}

/** Runs what must be refused, in one sentence after the lines of finished stages. */
async function refused(sentence: RegExp, ...methods: string[]): Promise<void> {
  const { code, stderr } = await reproduce(...methods);
  assert.equal(code, 2, stderr);
  const said = stderr.trim().split("\n").filter((line) =>
    !/^(\[\d+\/|To run: |CAVs are)/.test(line)
  );
  assert.equal(said.length, 1, stderr);
  assert.match(said[0]!, sentence);
}

/** Replaces a file for the time of an action. */
async function withFile(path: string, content: Uint8Array, action: () => Promise<void>) {
  const before = await Deno.readFile(path);
  await Deno.writeFile(path, content);
  try {
    await action();
  } finally {
    await Deno.writeFile(path, before);
  }
}

/** The weights with one tensor replaced. */
function replaced(name: string, change: (before: Tensor) => Tensor) {
  return (weights: ReadonlyMap<string, Tensor>) =>
    new Map([...weights].map(([key, value]) => [key, key === name ? change(value) : value]));
}

Deno.test("reproduce refuses a dataset with a class of which there is no image", async () => {
  const test = await Deno.readFile(join(folder, "test.bin"));
  test[99 * recordBytes + 1] = 98;
  await withFile(
    join(folder, "test.bin"),
    test,
    () => refused(/^cifar100\/test has no image of the class thing_99 \(thing 99\)/, "original"),
  );
});

Deno.test("reproduce refuses weights of another number of classes, and weights that are NaN", async () => {
  await writeWeights(
    root,
    backbone,
    replaced("output.weight", ({ shape }) => zeros([10, shape[1]!])),
  );
  // The last layer is checked before features are computed, which would find it too.
  await refused(
    /^The 10 logits of "last layer resnet20_cifar100 cifar100" are not the 100 classes of the dataset/,
    "original",
  );
  const nan = (before: Tensor) => tensor(before.shape, before.data.map(() => NaN));
  await writeWeights(root, backbone, replaced("output.weight", nan));
  await refused(/hold what is no finite number\. Take an undamaged file\.$/, "original");
  await writeWeights(root, backbone, replaced("features.stage1.unit1.body.conv1.bn.bias", nan));
  await refused(
    /^The features of image test\/0+ of cifar100\/test are not finite numbers\./,
    "original",
  );
});

Deno.test("reproduce says of a model without a mistake which classes stand for its confusions", async () => {
  await writeWeights(root, backbone);
  // Both training images of a class are one, and the last layer finds the nearest class.
  const train = await Deno.readFile(join(folder, "train.bin"));
  train.set(train.subarray(0, 100 * recordBytes), 100 * recordBytes);
  await withFile(join(folder, "train.bin"), train, async () => {
    const features = await cifarOutput(root, backbone, { split: "train", output: "features" });
    await writeWeights(root, backbone, (weights) => {
      const nearest = tensor(
        [100],
        Float32Array.from({ length: 100 }, (_, k) => {
          return -row(features, k).reduce((sum, x) => sum + x * x, 0) / 2;
        }),
      );
      return new Map([...weights, ["output.weight", features], ["output.bias", nearest]]);
    });
    const { code, stderr } = await reproduce("lg_cav_asr");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /The model mistakes no training image at all/);
  });
});
