import assert from "node:assert/strict";
import { join } from "node:path";
import { featureRows } from "../../lib/activations/mod.ts";
import { readImageFolder } from "../../lib/datasets/mod.ts";
import { readImages } from "../../lib/images/mod.ts";
import { buildPlan, refOf, type StageNode, UnavailableError } from "../../lib/pipeline/mod.ts";
import { trueDirectionsKind } from "../../lib/pipeline/stages/mod.ts";
import { openDigests, openStore } from "../../lib/store/mod.ts";
import { row, tensor } from "../../lib/tensor/mod.ts";
import { writeInterventions } from "../../lib/world/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { edit, miniRoot } from "../cli/_mini_root.ts";

const root = await miniRoot();

/** The stages of an experiment that measures truth. */
async function planTruth(experiment: Readonly<Record<string, unknown>>, profile = "world") {
  const truth = {
    extends: "base/concept_quality.json",
    id: "of_truth",
    version: 1,
    title: "Truth",
    factors: { method: ["random_cav", "original_cav"] },
    measures: ["truth_alignment"],
    show: { as: "table", rows: "method", columns: "backbone" },
    ...experiment,
  };
  await Deno.writeTextFile(join(root, "experiments", "of_truth.json"), JSON.stringify(truth));
  const { graph } = await buildPlan(
    { root, profile, engine: "ort", device: "cpu", experiments: ["of_truth"] },
    { digests: openDigests(join(root, ".cache")) },
  );
  return [...graph.values()];
}

const ofKind = (nodes: readonly StageNode[], kind: string) =>
  nodes.filter((node) => node.kind === kind);

Deno.test("buildPlan() takes the truth once for all methods and seeds, at each layer", async () => {
  const layers = await planTruth({
    factors: { method: ["random_cav", "original_cav"], layer: ["last", "intermediate"] },
    settings: {
      heldOut: { value: 1, source: "assumed", why: "A test." },
      contexts: { value: 3, source: "assumed", why: "A test." },
    },
  });
  assert.equal(ofKind(layers, "interventions").length, 1);
  assert.equal(ofKind(layers, "true_directions").length, 2);
  assert.equal(ofKind(layers, "measure").length, 8);
  const [interventions] = ofKind(layers, "interventions");
  const features = layers.filter(({ needs }) => needs["files"] === interventions!.key);
  assert.deepEqual(
    features.map(({ kind }) => kind).sort(),
    ["features", "features", "readable", "true_directions", "true_directions"],
  );
});

Deno.test("buildPlan() gives new keys to what the number of contexts changes, and to no CAV", async () => {
  const keysOf = (nodes: readonly StageNode[], kind: string) =>
    ofKind(nodes, kind).map(({ key }) => key).sort();
  const [few, many] = [
    await planTruth({}),
    await planTruth({
      settings: { contexts: { value: 5, source: "assumed", why: "A test." } },
    }),
  ];
  for (const kind of ["interventions", "true_directions", "measure"]) {
    assert.notDeepEqual(keysOf(many, kind), keysOf(few, kind), kind);
  }
  for (const kind of ["cavs", "world", "shots"]) {
    assert.deepEqual(keysOf(many, kind), keysOf(few, kind), kind);
  }
});

Deno.test("buildPlan() finds no truth where a dataset is a folder", async () => {
  const path = join(root, "configs", "profiles", "world.json");
  const before = await Deno.readTextFile(path);
  await edit(path, ({ datasets }) => datasets.broden = { folder: "data/broden" });
  try {
    await assert.rejects(planTruth({}), (error) => {
      assert.ok(error instanceof UnavailableError);
      assert.match(
        error.message,
        /^The profile world has broden as a folder of images, .*of_truth measures truth\./,
      );
      return true;
    });
  } finally {
    await Deno.writeTextFile(path, before);
  }
});

Deno.test("trueDirectionsKind finds in mean colours what each concept does to them", async () => {
  const folder = await temporaryFolder("truth-");
  await writeInterventions(folder, { seed: 3, imageSize: 32 }, { contexts: 4 });
  const images = await readImageFolder(folder);
  const means = new Float32Array(3 * images.ids.length);
  for await (const read of readImages(images, images.ids.keys(), { unreadable: "fail" })) {
    assert.ok("image" in read);
    const { index, image: { data } } = read;
    for (const [i, value] of data.entries()) means[3 * index + i % 3]! += value / data.length;
  }
  const values: Readonly<Record<string, unknown>> = {
    files: { folder },
    features: featureRows(tensor([images.ids.length, 3], means)),
  };
  const store = openStore(await temporaryFolder("truth-store-"), { onCorrupt: assert.fail });
  const node = { kind: trueDirectionsKind.name, key: "0".repeat(64), needs: {} } as never;
  await trueDirectionsKind.run(
    [node],
    { store, need: (_: unknown, role: string) => Promise.resolve(values[role]) } as never,
  );
  assert.ok(await store.has(refOf(node)));
  const { concepts, directions } = (await trueDirectionsKind.load(node, store))!;
  assert.equal(concepts.length, 49);
  const directionOf = (
    name: string,
  ) => [...row(directions, concepts.findIndex((concept) => concept.name === name))];
  const [red, , blueOfRed] = directionOf("red-c");
  assert.ok(red! > 0 && blueOfRed! < 0);
  const [redOfBlue, , blue] = directionOf("blue-c");
  assert.ok(redOfBlue! < 0 && blue! > 0);
  assert.ok(directionOf("night sky-s").every((channel) => channel < 0));
  assert.ok(directionOf("snowfield-s").every((channel) => channel > 0));
});
