import assert from "node:assert/strict";
import { join } from "node:path";
import { readRunsArrow } from "../../lib/report/mod.ts";
import { row } from "../../lib/tensor/mod.ts";
import { runCli } from "./_mini_root.ts";
import { cifarOutput, paperRoot } from "./_paper_root.ts";

const root = await paperRoot(["resnet10_cub", "resnet20_cifar100"]);

/** Methods that the profile can run, of one base each. */
const methods = [
  "original",
  "uniform_retraining",
  "concept_distillation",
  "knowledge_distillation",
  "lg_cav_asr",
];

async function reproduce(id: string, backbone: string) {
  const args = ["reproduce", id, "--profile", "paper", "--backbones", backbone];
  return await runCli(root, [...args, "--methods", methods.join(",")]);
}

async function runsOf(id: string) {
  const path = join(root, "results", "paper", id, "runs.arrow");
  return readRunsArrow(await Deno.readFile(path));
}

for (
  const { id, backbone, classes } of [
    { id: "table6", backbone: "resnet10_cub", classes: 200 },
    { id: "table7", backbone: "resnet20_cifar100", classes: 100 },
  ]
) {
  Deno.test(`reproduce ${id} reads the real format and pytorchcv's weights to the end`, async () => {
    const { code, stderr } = await reproduce(id, backbone);
    assert.equal(code, 0, stderr);
    const measured = (await runsOf(id)).filter(({ status }) => status === "measured");
    for (const method of methods) {
      const ofMethod = measured.filter(({ levels }) => levels["method"] === method);
      const ofSeed = ofMethod.filter(({ levels }) => levels["seed"] === 0);
      assert.equal(new Set(ofSeed.map((run) => run.class)).size, classes, method);
      assert.ok(ofMethod.every(({ value, weight }) => value >= 0 && value <= 100 && weight === 1));
    }
    assert.equal((await runCli(root, ["verify", id, "--profile", "paper"])).code, 0);
  });
}

Deno.test("reproduce table7 measures the classes that the released network's logits tell", async () => {
  const logits = await cifarOutput(root, "resnet20_cifar100", { split: "test", output: "logits" });
  const original = (await runsOf("table7")).filter(({ levels }) =>
    levels["method"] === "original" && levels["seed"] === 0
  );
  assert.equal(original.length, 100);
  for (const { class: id, value } of original) {
    const label = Number(id.replace("thing_", ""));
    const ofImage = row(logits, label);
    assert.equal(value, ofImage[label] === Math.max(...ofImage) ? 100 : 0, id);
  }
  assert.ok(original.some(({ value }) => value === 100), "some image is told");
});
