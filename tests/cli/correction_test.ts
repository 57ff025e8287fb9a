import assert from "node:assert/strict";
import { join } from "node:path";
import { readRunsArrow } from "../../lib/report/mod.ts";
import { edit, miniRoot, resultBytes, runCli } from "./_mini_root.ts";

const assumed = (value: unknown) => ({ value, source: "assumed", why: "A test." });
const root = await miniRoot();
await edit(join(root, "configs", "datasets", "world.json"), (world) => {
  world.imagenet.trainPerClass.value = 3;
});
for (const [name, length] of [["uniform_retraining", "epochs"], ["label_free_cbm", "steps"]]) {
  await edit(join(root, "configs", "corrections", `${name}.json`), ({ hyperparameters }) => {
    hyperparameters[length!].value = 2;
  });
}

/** Writes an experiment that corrects ResNet-18 on a dataset. */
// deno-lint-ignore no-explicit-any
async function write(id: string, rest: any): Promise<void> {
  const { factors, settings, ...others } = rest;
  const experiment = {
    extends: "base/model_correction.json",
    id,
    version: 1,
    title: id,
    factors: { seed: assumed([0, 1]), ...factors },
    settings: { probes: { count: assumed(40) }, ...settings },
    show: { as: "table", rows: ["measure", "method"], columns: "backbone" },
    ...others,
  };
  await Deno.writeTextFile(join(root, "experiments", `${id}.json`), JSON.stringify(experiment));
}

const methods = [
  "original",
  "uniform_retraining",
  "concept_distillation",
  "knowledge_distillation",
  "group_balanced_retraining",
  "cav_projection",
  "cav_gradient_penalty",
  "lg_cav_asr",
];
await write("corrected", {
  factors: { method: methods },
  measures: ["top1_accuracy", "worst_group_accuracy"],
});

async function runsOf(id: string) {
  const path = join(root, "results", "world", id, "runs.arrow");
  return readRunsArrow(await Deno.readFile(path));
}

/** Runs an experiment that must end with exit code 2 and one sentence, which is returned. */
async function refused(id: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await runCli(root, ["reproduce", id, ...args]);
  assert.equal(code, 2, stderr);
  assert.doesNotMatch(stderr, /\bat .*:\d+:\d+/);
  return stderr;
}

Deno.test("reproduce corrects a last layer by every method, and measures classes by their images", async (t) => {
  const { code, stderr } = await runCli(root, ["reproduce", "corrected"]);
  assert.equal(code, 0, stderr);
  const before = await resultBytes(root, "corrected");
  const runs = await runsOf("corrected");
  const accuracies = runs.filter(({ measure }) => measure === "top1_accuracy");
  assert.equal(accuracies.length, methods.length * 2 * 40);
  assert.ok(accuracies.every(({ weight }) => weight === 2), "two test images of each class");
  const groups = runs.filter(({ measure, levels }) =>
    measure === "worst_group_accuracy" && levels["method"] === "original" && levels["seed"] === 0
  );
  assert.equal(groups.reduce((sum, { weight }) => sum + weight, 0), 80, "each image in one group");

  await t.step("gives the original the same values for every seed, by one stage", () => {
    const of = (seed: number) =>
      accuracies.filter(({ levels }) => levels["method"] === "original" && levels["seed"] === seed)
        .map(({ class: id, value }) => [id, value]);
    assert.deepEqual(of(0), of(1));
  });

  await t.step("makes the same bytes whatever is corrected together", async () => {
    for (const kind of ["corrected_layer", "measure_layer"]) {
      await Deno.remove(join(root, ".cache", kind), { recursive: true });
    }
    for (const method of methods.toReversed()) {
      const { code, stderr } = await runCli(root, [
        ...["reproduce", "corrected", "--methods", method, "--seeds", "1"],
      ]);
      assert.equal(code, 0, stderr);
    }
    const again = await runCli(root, ["reproduce", "corrected"]);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(await resultBytes(root, "corrected"), before);
  });

  await t.step("runs no stage the second time", async () => {
    assert.doesNotMatch((await runCli(root, ["reproduce", "corrected"])).stderr, /\[\d+\/\d+\]/);
  });
});

Deno.test("CAVs of classes are measured at their probes, aligned as the probes' features say", async () => {
  await write("probed", {
    factors: { method: ["lg_cav+ga+ce"], seed: assumed([0]) },
    measures: ["vl_activation", "aligned_activation", "target_activation", "cav_activation"],
    show: { as: "histogram", series: "measure", panels: "backbone", bins: assumed(10) },
  });
  const { code, stderr } = await runCli(root, ["reproduce", "probed"]);
  assert.equal(code, 0, stderr);
  const runs = await runsOf("probed");
  assert.equal(runs.length, 4 * 40 * 40, "four measures of 40 probes of each of 40 classes");
  const [concept] = runs.map(({ concept }) => concept);
  const mean = (of: string) => {
    const values = runs.filter((run) => run.measure === of && run.concept === concept);
    return values.reduce((sum, { value }) => sum + value, 0) / values.length;
  };
  // Eq. 4: aligned activations have the mean of the cosines of pairs of probe features.
  assert.ok(Math.abs(mean("aligned_activation") - mean("target_activation")) < 0.01);
  assert.ok(Math.abs(mean("vl_activation") - mean("target_activation")) > 0.01);
});

Deno.test("a sweep of ASR's temperature makes weights uniform as it rises", async () => {
  await write("swept", {
    factors: { method: ["lg_cav_asr"], "method.temperature": [0.01, 1, 100], seed: assumed([0]) },
    measures: ["effective_sample_size"],
    show: {
      as: "lines",
      x: "method.temperature",
      series: "method",
      panels: "backbone",
      scale: "log",
    },
  });
  const { code, stderr } = await runCli(root, ["reproduce", "swept"]);
  assert.equal(code, 0, stderr);
  const sizes = (await runsOf("swept"))
    .toSorted((a, b) =>
      Number(a.levels["method.temperature"]) - Number(b.levels["method.temperature"])
    ).map(({ value }) => value);
  assert.ok(sizes[0]! < sizes[1]! && sizes[1]! < sizes[2]!, sizes.join());
  assert.ok(sizes[2]! > 99.99 && sizes[2]! <= 100);
});

Deno.test("weights for another number of classes are refused before any feature is computed", async () => {
  await write("birds", {
    factors: { dataset: ["cub200"], method: ["original"] },
    measures: ["top1_accuracy"],
  });
  const message = await refused("birds");
  assert.match(message, /The 40 logits of "last layer resnet18 cub200" are not the 20 classes/);
  assert.doesNotMatch(message, /\] features/);
});

Deno.test("a measure, a method or a dataset that do not go together are refused while planning", async () => {
  await write("mixed", { factors: { method: ["lg_cav"] }, measures: ["top1_accuracy"] });
  assert.match(await refused("mixed"), /measures top1_accuracy of LG-CAV on imagenet/);
  await write("mixed", { factors: { method: ["original"] }, measures: ["recall_at_100"] });
  assert.match(await refused("mixed"), /measures recall_at_100 of Original/);
  await write("mixed", { factors: { dataset: ["broden"], method: ["original"] } });
  assert.match(await refused("mixed"), /corrects a last layer by original on broden/);
  await write("mixed", { factors: { method: ["original_cav"] }, measures: ["recall_at_100"] });
  assert.match(await refused("mixed"), /takes some. Take LG-CAV without DSR/);
  await write("mixed", {
    factors: { method: ["original"], "method.temperature": [1, 2] },
    show: { as: "table", rows: "method.temperature", columns: "backbone" },
  });
  assert.match(await refused("mixed"), /original has no hyper-parameter "temperature"/);
});

Deno.test("folders of one's own: a class without images and a missing description are one sentence", async () => {
  const folder = join(root, "mine");
  const { code, stderr } = await runCli(root, ["world", "export", folder]);
  assert.equal(code, 0, stderr);
  const own = { folder: "mine/imagenet", descriptions: "mine/descriptions.csv" };
  await Deno.writeTextFile(
    join(folder, "descriptions.csv"),
    "class,description\nn90000001,an orange ball, dotted\n",
  );
  await edit(join(root, "configs", "profiles", "world.json"), (profile) => {
    profile.datasets.imagenet = own;
    profile.probePool = [{ dataset: "broden", images: "other concepts" }];
  });
  await write("mine", {
    factors: { method: ["lg_cav_asr"] },
    measures: ["top1_accuracy"],
    settings: { probes: { count: assumed(40) }, classConcepts: assumed("descriptions") },
  });
  const undescribed = await refused("mine");
  assert.match(undescribed, /The class n90000002 .* has no description in .*descriptions\.csv/);
  assert.doesNotMatch(undescribed, /\] features/);
  const empty = join(folder, "imagenet", "train", "n90000007");
  for await (const { name } of Deno.readDir(empty)) await Deno.remove(join(empty, name));
  await write("mine", {
    factors: { method: ["uniform_retraining"] },
    measures: ["top1_accuracy"],
  });
  assert.match(await refused("mine"), /no image of the class n90000007 \(white wooden box/);
  await write("mine", {
    factors: { method: ["original"] },
    measures: ["top1_accuracy"],
    settings: { sceneCorrelation: assumed(0.9) },
  });
  assert.match(
    await refused("mine"),
    /imagenet as a folder of images.*"sceneCorrelation" asks.*Take the profile world/,
  );
});
