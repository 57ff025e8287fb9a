import { join } from "node:path";
import { sha256 } from "../../lib/files/mod.ts";
import { edit, miniRoot } from "../cli/_mini_root.ts";
import { assumed, configs, type Json, type Row, testKeys } from "./_keys.ts";

/** What the stages of the plans below are called here, by their ids. */
const stages = {
  "training files": /^world imagenet train( |$)/,
  "test files": /^world imagenet val$/,
  "readable training images": /^readable imagenet(40)? train/,
  "readable test images": /^readable imagenet(40)? val$/,
  "training labels": /^labels of imagenet(40)? train/,
  "test labels": /^labels of imagenet(40)? val$/,
  "training scenes": /^scenes of imagenet(40)? train/,
  "test scenes": /^scenes of imagenet(40)? val$/,
  "classes": /^classes of imagenet/,
  "last layer": /^last layer /,
  "training features": /^features resnet18 imagenet(40)? train/,
  "test features": /^features resnet18 imagenet(40)? val$/,
  "VL training features": /^features tiny_clip .* train/,
  "VL test features": /^features tiny_clip .* val$/,
  "confusions": /^confusions /,
  "confused classes": /^concepts .* confusions of /,
  // In the world a class is described by what it is called in a text.
  "described classes": /^concepts .* (descriptions|names)$/,
  "scene concepts": /^concepts .* scenes$/,
  "text of confusions": /^text .* confusions of /,
  "text of descriptions": /^text .* (descriptions|names)$/,
  "text of scenes": /^text .* scenes$/,
  "probes of confusions": /^probes .* confusions of /,
  "probes of descriptions": /^probes .* descriptions$/,
  "probes of scenes": /^probes .* scenes$/,
  "random CAVs": /^cavs \S+ random_cav /,
  "CAVs of confusions": /^cavs \S+ lg_cav\S* .* confusions of /,
  "CAVs of descriptions": /^cavs \S+ lg_cav\S* .* descriptions seed/,
  "CAVs of scenes": /^cavs \S+ lg_cav\S* .* scenes seed/,
  "layers": /^\S+ of resnet18 imagenet(40)? train.* seed /,
  "accuracy": /^top1_accuracy of /,
  "worst group": /^worst_group_accuracy of /,
  "recall": /^recall_at_100 of /,
  "words of Broden": /^(world|readable|labels|concepts|text \S+) broden$/,
  // Comes with Broden; no correction asks for it.
  "classes of the pairs": /^classes imagenet$/,
};
type Name = keyof typeof stages;
const all = Object.keys(stages) as Name[];
const allBut = (...names: Name[]) => all.filter((name) => !names.includes(name));

/** A layer and its measures. */
const ofLayers: Name[] = ["layers", "accuracy", "worst group"];
const cavs: Name[] = ["CAVs of confusions", "CAVs of descriptions", "CAVs of scenes"];
const probes: Name[] = ["probes of confusions", "probes of descriptions", "probes of scenes"];
const ofConfusions: Name[] = [
  "confusions",
  "confused classes",
  "text of confusions",
  "probes of confusions",
  "CAVs of confusions",
];
const ofTest: Name[] = [
  "classes of the pairs",
  "test files",
  "readable test images",
  "test labels",
  "test scenes",
  "test features",
  "VL test features",
];

const experiment = (id: string, change: (json: Json) => void) => (root: string) =>
  edit(join(root, "experiments", `${id}.json`), change);

const table: Readonly<Record<string, Row<Name>>> = {
  "another seed": {
    request: { seeds: [1] },
    renews: ["random CAVs", ...cavs, ...ofLayers, "recall"],
    where: / seed 1$/,
  },
  "fewer methods": { request: { experiments: ["corrected"], methods: ["original"] } },
  "the temperature of ASR": {
    change: configs("corrections/lg_cav_asr.json", ({ hyperparameters }) => {
      hyperparameters.temperature.value = 2;
    }),
    renews: ofLayers,
    where: /lg_cav_asr/,
  },
  "epochs of uniform retraining, which the others extend": {
    change: configs("corrections/uniform_retraining.json", ({ hyperparameters }) => {
      hyperparameters.epochs.value = 3;
    }),
    renews: ofLayers,
    where: /uniform_retraining|lg_cav_asr|knowledge|group_balanced/,
  },
  "the method of ASR's CAVs": {
    change: configs("corrections/lg_cav_asr.json", (json) => json.cavMethod = "lg_cav"),
    renews: ["CAVs of confusions", ...ofLayers],
    where: /lg_cav_asr|cavs resnet18 lg_cav /,
  },
  "descriptions instead of confusions": {
    change: experiment("corrected", (json) => {
      json.settings.classConcepts = assumed("descriptions");
    }),
    // The CAVs of the descriptions were there.
    renews: ofLayers,
    where: /lg_cav_asr/,
  },
  "shots, of which there are none": {
    change: async (root) => {
      for (const id of ["corrected", "ranked"]) {
        await experiment(id, (json) => json.settings.shots = assumed(5))(root);
      }
    },
  },
  "probes.count": {
    change: async (root) => {
      for (const id of ["corrected", "ranked"]) {
        await experiment(id, (json) => json.settings.probes.count.value = 30)(root);
      }
    },
    renews: [...probes, ...cavs, ...ofLayers, "recall"],
    where: /^probes|^cavs|lg_cav|cav_projection/,
  },
  "weights of the backbone": {
    change: async (root) => {
      const path = join(root, "zoo", "resnet18.safetensors");
      const bytes = await Deno.readFile(path);
      bytes[bytes.length - 1]! ^= 1;
      await Deno.writeFile(path, bytes);
      await edit(join(root, "zoo", "resnet18.json"), (card) => card.sha256 = sha256(bytes));
    },
    renews: [
      "last layer",
      "training features",
      "test features",
      ...ofConfusions,
      "random CAVs",
      ...cavs,
      ...ofLayers,
      "recall",
    ],
  },
  "a file of the VL model": {
    change: (root) =>
      Deno.writeTextFile(join(root, "zoo", "tiny-clip", "tokenizer.json"), "\n", { append: true }),
    renews: [
      "text of confusions",
      "text of descriptions",
      "text of scenes",
      "words of Broden",
      "VL training features",
      "VL test features",
      ...probes,
      ...cavs,
      ...ofLayers,
      "recall",
    ],
    where:
      /^text|^features tiny|^probes|^cavs|lg_cav_asr|knowledge|label_free|cav_projection|^recall/,
  },
  "images of the training split": {
    change: configs("datasets/world.json", ({ imagenet }) => imagenet.trainPerClass.value = 3),
    renews: allBut(...ofTest, "words of Broden"),
  },
  "images of the test split": {
    change: configs("datasets/world.json", ({ imagenet }) => imagenet.valPerClass.value = 3),
    renews: [...ofTest, "accuracy", "worst group", "recall"],
  },
  "the correlation of class and scene in the training split": {
    change: async (root) => {
      for (const id of ["corrected", "ranked"]) {
        await experiment(id, (json) => json.settings.sceneCorrelation = assumed(0.9))(root);
      }
    },
    renews: allBut(...ofTest, "words of Broden"),
  },
  "the world's own correlation, said again": {
    change: experiment("corrected", (json) => json.settings.sceneCorrelation = assumed(0.5)),
  },
  "a last layer that is fitted first": {
    change: experiment("corrected", (json) => json.settings.lastLayer = assumed("refit")),
    renews: [...ofConfusions, ...ofLayers],
  },
  "the concepts of the bottleneck": {
    change: configs("datasets/broden.json", ({ singleConcept }) => {
      singleConcept.minimumImages.value = 21;
    }),
    renews: ["words of Broden", ...ofLayers],
    where: /^(concepts|text \S+) broden|label_free/,
  },
  "the engine of CAVs": {
    request: { engine: "tfjs" },
    renews: ["random CAVs", ...cavs, ...ofLayers, "recall"],
    where: /^cavs|lg_cav|cav_projection|^recall/,
  },
  "batch and titles": {
    change: async (root) => {
      await configs("profiles/world.json", (json) => json.batch = 3)(root);
      await configs("corrections/lg_cav_asr.json", (json) => json.title = "Another")(root);
      await configs("datasets/imagenet.json", (json) => json.title = "Another")(root);
    },
  },
};

/** The root with two experiments, which have every kind of stage that a dataset of classes adds. */
async function classRoot(): Promise<string> {
  const root = await miniRoot();
  const write = (id: string, rest: Json) =>
    Deno.writeTextFile(
      join(root, "experiments", `${id}.json`),
      JSON.stringify({ extends: "base/model_correction.json", id, version: 1, title: id, ...rest }),
    );
  const settings = { probes: { count: assumed(20) } };
  const seed = assumed([0]);
  await write("corrected", {
    factors: {
      method: [
        "original",
        "uniform_retraining",
        "knowledge_distillation",
        "label_free_cbm",
        "group_balanced_retraining",
        "cav_projection",
        "lg_cav_asr",
      ],
      seed,
    },
    measures: ["top1_accuracy", "worst_group_accuracy"],
    show: { as: "table", rows: ["measure", "method"], columns: "backbone" },
    settings,
  });
  await write("ranked", {
    factors: { dataset: ["imagenet40"], method: ["random_cav", "lg_cav+ga+ce"], seed },
    measures: ["recall_at_100"],
    show: { as: "table", rows: "method", columns: "backbone" },
    settings: { ...settings, classConcepts: assumed("descriptions") },
  });
  return root;
}

await testKeys("classes", {
  root: await classRoot(),
  stages,
  table,
  experiments: ["corrected", "ranked"],
});
