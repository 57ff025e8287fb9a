import assert from "node:assert/strict";
import { join } from "node:path";
import {
  buildPlan,
  isStored,
  measurePlan,
  modelOf,
  planSeconds,
  targetsOf,
} from "../../lib/pipeline/mod.ts";
import { openDigests, openStore } from "../../lib/store/mod.ts";
import { edit, miniRoot, runCli, writeRandomWeights } from "./_mini_root.ts";

/** Lets the tiny CLIP pass for one of these published sizes, which none but a plan looks at. */
async function pretendSize(root: string, size: Readonly<Record<string, number>>): Promise<void> {
  await edit(join(root, "configs", "vl", "tiny_clip.json"), (config) => {
    const usual = { imageSize: 224, width: 16, imageGflops: 0.01, millionParameters: 1 };
    config.published = { source: "pretended", ...usual, ...size };
  });
}

Deno.test("reproduce says before the first stage what is ahead and how long it takes", async () => {
  const root = await miniRoot();
  await pretendSize(root, { imageGflops: 1000 });
  const reproduce = (method: string) =>
    runCli(root, ["reproduce", "table2", "--methods", method, "--seeds", "0"]);
  // Without probes the VL model has no part.
  const without = await reproduce("original_cav");
  assert.equal(without.code, 0, without.stderr);
  assert.doesNotMatch(without.stderr, /measured here/, "a plan of a moment goes without");
  const cold = await reproduce("lg_cav");
  assert.equal(cold.code, 0, cold.stderr);
  assert.match(
    cold.stderr.split("\n")[0]!,
    /^To run: \d+ stages, \d+ images, \d+ TFLOP, \d+ MB to store, \d+ MB of memory .*, about .*, as measured here with tiny_clip\.$/,
  );
});

Deno.test("reproduce refuses before the first stage what does not fit into memory", async () => {
  const root = await miniRoot();
  await pretendSize(root, { millionParameters: 1e6 });
  const run = await runCli(root, ["reproduce", "table2"]);
  assert.equal(run.code, 2);
  assert.match(
    run.stderr,
    /^The stage "features tiny_clip embedding broden" takes 8000\.\d GB of memory, and this machine has .*\.\n$/,
  );
  const plan = await runCli(root, ["reproduce", "table2", "--dry-run"]);
  assert.equal(plan.code, 0, plan.stderr);
  assert.match(plan.stdout, /\nThe stage .* takes 8000\.\d GB of memory/, "the plan is shown");
});

Deno.test("measurePlan() measures models, reading and rendering, and leaves nothing behind", async () => {
  const root = await miniRoot();
  const store = openStore(join(root, ".cache"));
  await Deno.mkdir(store.root);
  const planned = async () => {
    const plan = await buildPlan(
      { root, profile: "world", experiments: ["table2"], engine: "ort", device: "cpu" },
      { digests: openDigests(store.root) },
    );
    const nodes = [...plan.graph.values()];
    const options = { graph: plan.graph, store, device: "cpu", jobs: 1 } as const;
    const { signal } = new AbortController();
    return { plan, nodes, speeds: await measurePlan(nodes, { ...options, signal }) };
  };
  const { plan, nodes, speeds } = await planned();
  const node = nodes.find(({ id }) => id === "features resnet18 broden")!;
  const [model] = speeds.models;
  assert.equal(model!.name, "resnet18", "the model with most work");
  assert.equal(model!.model, modelOf(node));
  assert.ok(speeds.rendering! > 0 && speeds.reading! > 0 && speeds.products > 1e8);
  assert.ok(planSeconds(nodes, { speeds, jobs: 1 }) > 0);
  for (const key of targetsOf(plan.experiments)) {
    assert.equal(await isStored(plan.graph.get(key)!, store), false);
  }
  assert.deepEqual([...Deno.readDirSync(store.root)], []);
  await Deno.remove(join(root, "zoo", "resnet18.safetensors"));
  const { speeds: others } = await planned();
  assert.ok(others.models.every(({ name }) => name === "tiny_clip"));
});

Deno.test("measurePlan() measures each split of a dataset on images of that split", async () => {
  const root = await miniRoot();
  await writeRandomWeights(root, "resnet14_cub");
  const store = openStore(join(root, ".cache"));
  await Deno.mkdir(store.root);
  const plan = await buildPlan(
    { root, profile: "world", experiments: ["corrected_examples"], engine: "ort", device: "cpu" },
    { digests: openDigests(store.root) },
  );
  const options = { graph: plan.graph, store, device: "cpu", jobs: 1 } as const;
  const { signal } = new AbortController();
  for (const split of ["train", "test"]) {
    // The splits are rendered apart, and a rendered one has no image of the other.
    const nodes = [...plan.graph.values()].filter(({ id }) =>
      id.startsWith("world cub200") || id === `features resnet14_cub cub200 ${split}`
    );
    assert.equal(nodes.length, 3);
    const { models } = await measurePlan(nodes, { ...options, signal });
    assert.deepEqual(models.map(({ name }) => name), ["resnet14_cub"]);
  }
});
