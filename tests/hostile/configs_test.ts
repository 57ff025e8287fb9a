import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { resultSpecs } from "../../lib/cli/write_results.ts";
import { UserError } from "../../lib/files/mod.ts";
import { buildPlan } from "../../lib/pipeline/mod.ts";
import { openDigests } from "../../lib/store/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { addClassifier } from "../cli/_own_classifier.ts";
import { edit, miniRoot } from "../cli/_mini_root.ts";
import { mutatedConfig } from "./_config_mutations.ts";
import { faultOfMessage } from "./_fault.ts";

/** Other configs are made in each release: set it to the number of the release. */
const SEED = "release 1";
/** Damaged copies of each config. */
const COUNT = 20;
/** A plan takes a tenth of a second. */
const MAX_SECONDS = 20;

const root = await miniRoot();
await addClassifier(root, "mine", { classNames: ["one", "two"] });
await edit(join(root, "experiments", "base", "concept_quality.json"), (base) => {
  base.factors.method = ["original_cav", "text_to_concept", "oa_tcav", "lg_cav+ga+ce+dsr"];
  base.factors.seed.value = [0];
});

// The small world has no more images.
await edit(join(root, "experiments", "figure4.json"), ({ factors }) => {
  factors["probes.count"].value = [50, 100, "pool"];
});

/** What is planned so that a config is read. */
interface Reading {
  readonly experiment?: string;
  readonly profile?: string;
  readonly backbone?: string;
}

/** One config of every kind, and of every form that a kind has. */
const configs: Readonly<Record<string, Reading>> = {
  "experiments/base/concept_quality.json": {},
  "experiments/table2.json": {},
  "experiments/table13.json": { experiment: "table13" },
  "experiments/figure1.json": { experiment: "figure1" },
  "experiments/figure4.json": { experiment: "figure4" },
  "experiments/figure6.json": { experiment: "figure6" },
  "configs/profiles/world.json": {},
  "configs/profiles/quick.json": { profile: "quick" },
  "configs/methods/original_cav.json": {},
  "configs/methods/oa_tcav.json": {},
  "configs/methods/text_to_concept.json": {},
  "configs/methods/lg_cav.json": {},
  "configs/backbones/resnet18.json": {},
  "configs/backbones/vit_b_16.json": { backbone: "vit_b_16" },
  "configs/backbones/mine.json": { backbone: "mine" },
  "configs/datasets/broden.json": {},
  "configs/datasets/imagenet.json": {},
  "configs/datasets/world.json": {},
  "configs/vl/tiny_clip.json": {},
  "configs/vl/clip_vit_b_32.json": { profile: "quick" },
  "configs/paper/prompts.json": {},
  "configs/paper/tables.json": { profile: "paper" },
  "configs/sources.json": { profile: "quick" },
  "zoo/resnet18.json": {},
};

async function plan({ experiment = "table2", profile = "world", backbone }: Reading) {
  const planned = await buildPlan(
    {
      root,
      profile,
      experiments: [experiment],
      backbones: backbone === undefined ? ["resnet18"] : [backbone],
      engine: "ort",
      device: "cpu",
    },
    { digests: openDigests(join(root, ".cache")) },
  );
  await resultSpecs(planned);
}

/** What is wrong with how a plan ends; nothing when it succeeds or ends in a sentence. */
async function faultOf(reading: Reading, outcome: { read: number; refused: number }) {
  const started = performance.now();
  try {
    await plan(reading);
    outcome.read++;
  } catch (error) {
    outcome.refused++;
    if (!(error instanceof UserError)) return error instanceof Error ? error.stack : String(error);
    return faultOfMessage(error.message);
  }
  const seconds = (performance.now() - started) / 1000;
  return seconds > MAX_SECONDS ? `it took ${seconds} seconds` : undefined;
}

Deno.test("a plan of a damaged config ends in success or one sentence", async (t) => {
  for (const [path, reading] of Object.entries(configs)) {
    await t.step(path, async () => {
      const file = join(root, path);
      const before = await Deno.readTextFile(file);
      await plan(reading);
      const outcome = { read: 0, refused: 0 };
      const faults: string[] = [];
      try {
        for (let i = 0; i < COUNT; i++) {
          const random = createRandom(SEED).split(path).split(i);
          const text = mutatedConfig(before, random, basename(path));
          await Deno.writeTextFile(file, text);
          const fault = await faultOf(reading, outcome);
          if (fault !== undefined) faults.push(`${i}: ${fault}\n${text.slice(0, 2000)}`);
        }
      } finally {
        await Deno.writeTextFile(file, before);
      }
      assert.equal(faults.length, 0, faults.join("\n\n"));
      assert.ok(outcome.refused > 0, "nothing was refused");
    });
  }
});
