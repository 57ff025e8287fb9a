import assert from "node:assert/strict";
import { join } from "node:path";
import { buildPlan, type StageNode, UnavailableError } from "../../lib/pipeline/mod.ts";
import { openDigests } from "../../lib/store/mod.ts";
import { miniRoot } from "../cli/_mini_root.ts";
import { assumed } from "./_keys.ts";

const root = await miniRoot();

type Dials = Readonly<Record<string, number | string>>;

/** The stages of an experiment with these dials, by their kinds and what they make. */
async function planWith(
  dials?: Dials,
  { dataset = "broden", profile = "world" }: {
    readonly dataset?: string;
    readonly profile?: string;
  } = {},
) {
  const experiment = {
    extends: "base/concept_quality.json",
    id: "dials",
    version: 1,
    title: "A plan with dials",
    factors: { dataset: [dataset], method: ["original_cav", "text_to_concept", "lg_cav"] },
    measures: ["concept_accuracy", "concept_to_class_accuracy"],
    settings: dials && {
      dials: Object.fromEntries(
        Object.entries(dials).map(([name, level]) => [
          name,
          assumed(level),
        ]),
      ),
    },
    show: { as: "table", rows: "method", columns: "backbone" },
  };
  await Deno.writeTextFile(join(root, "experiments", "dials.json"), JSON.stringify(experiment));
  const request = {
    root,
    profile,
    engine: "ort",
    device: "cpu",
    experiments: ["dials"],
  } as const;
  const { graph } = await buildPlan(request, { digests: openDigests(join(root, ".cache")) });
  return [...graph.values()];
}

const base = await planWith();
const keysOf = (nodes: readonly StageNode[]) => nodes.map(({ key }) => key).sort();
/** The kinds of the stages that dials make anew. */
async function renewedBy(dials: Dials): Promise<string[]> {
  const before = new Set(keysOf(base));
  const fresh = (await planWith(dials)).filter(({ key }) => !before.has(key));
  const method = ({ id }: StageNode) => /original_cav|text_to_concept|lg_cav/.exec(id)?.[0];
  return [...new Set(fresh.map((node) => [node.kind, method(node)].join(" ").trim()))].sort();
}

const prompts = { promptZipf: 1, promptStyle: 0.5 };
const ofLanguage = ["lg_cav", "text_to_concept"];
/** What of the concepts' images is made anew where they are other images. */
const ofConcepts = [
  "world",
  "readable",
  "labels",
  "concepts",
  "shots",
  "pairs",
  "text",
  "features",
];
const ofCavs = (methods: readonly string[]) =>
  methods.flatMap((method) => [`cavs ${method}`, `measure ${method}`]);

Deno.test("buildPlan() gives each stage the key that it has without dials where all are at 0", async () => {
  const off = {
    ...prompts,
    promptDispersion: 0,
    polysemy: 0,
    captionError: 0,
    centring: 0,
    labelNoise: 0,
    probeShift: 0,
    probePool: "all",
    coOccurrence: 0,
    variety: 0,
  };
  assert.deepEqual(keysOf(await planWith(off)), keysOf(base));
});

for (
  const [dials, renewed] of [
    [{ ...prompts, promptDispersion: 0.5 }, ["perturbed_text", "probes", ...ofCavs(ofLanguage)]],
    [{ polysemy: 0.5 }, ["perturbed_text", "probes", ...ofCavs(ofLanguage)]],
    [{ captionError: 0.5 }, ["mismatched", "probes", ...ofCavs(ofLanguage)]],
    [{ centring: 0.5 }, ["centred", "perturbed_text", "probes", ...ofCavs(ofLanguage)]],
    [{ labelNoise: 0.2 }, ["shots", ...ofCavs(["original_cav", ...ofLanguage])]],
    [{ coOccurrence: 0.5 }, [
      ...ofConcepts,
      "probes",
      ...ofCavs(["original_cav", ...ofLanguage]),
    ]],
    [{ variety: 0.5 }, [...ofConcepts, "probes", ...ofCavs(["original_cav", ...ofLanguage])]],
    [{ probeShift: 0.5 }, ["world", "readable", "features", "probes", ...ofCavs(ofLanguage)]],
    [{ probePool: "apart" }, ["probes", ...ofCavs(ofLanguage)]],
  ] as const
) {
  Deno.test(`buildPlan() computes anew what ${Object.keys(dials).at(-1)} changes, and nothing else`, async () => {
    assert.deepEqual(await renewedBy(dials), [...renewed].sort());
    const levels = Object.entries<number | string>(dials);
    const halves = levels.map((
      [name, level],
    ) => [name, typeof level === "number" ? level / 2 : "all"]);
    const other = Object.fromEntries(halves);
    const [some, others] = [await planWith(dials), await planWith(other)].map(keysOf);
    assert.notDeepEqual(some, others);
  });
}

Deno.test("buildPlan() asks for what a dispersion of prompts takes", async () => {
  await assert.rejects(planWith({ promptDispersion: 0.5 }), /asks for promptZipf and promptStyle/);
});

Deno.test("buildPlan() refuses dials where a dataset has classes", async () => {
  const ofClasses = planWith({ polysemy: 0.5 }, { dataset: "imagenet" });
  await assert.rejects(ofClasses, /"dials\.polysemy".*datasets of concepts/);
});

for (const [dial, dataset] of [["variety", "broden"], ["probeShift", "imagenet"]] as const) {
  Deno.test(`buildPlan() says that images of a folder cannot be rendered with ${dial}`, async () => {
    const path = join(root, "configs", "profiles", "world.json");
    const profile = JSON.parse(await Deno.readTextFile(path));
    profile.name = "mine";
    profile.datasets[dataset] = { folder: `data/${dataset}` };
    await Deno.writeTextFile(path.replace("world.json", "mine.json"), JSON.stringify(profile));
    await assert.rejects(planWith({ [dial]: 0.5 }, { profile: "mine" }), (error) => {
      assert.ok(error instanceof UnavailableError);
      assert.match(error.message, new RegExp(`${dataset} as a folder.*"dials\\.${dial}".*world`));
      return true;
    });
  });
}
