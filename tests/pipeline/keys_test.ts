import { cp } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../lib/files/mod.ts";
import { edit, miniRoot, repository, writeRandomWeights } from "../cli/_mini_root.ts";
import { assumed, configs, copyOf, type Json, type Row, testKeys } from "./_keys.ts";

/** What the stages of the plans below are called here, by their ids. */
const stages = {
  "files of Broden": /^(world|files) broden$/,
  "files of ImageNet": /^(world|files) imagenet val$/,
  "readable of Broden": /^readable broden$/,
  "readable of ImageNet": /^readable imagenet val$/,
  "labels": /^labels /,
  "concepts": /^concepts /,
  "shots": / shots of seed /,
  "classes": /^classes /,
  "pairs": /^pairs /,
  "text": /^text /,
  "VL features of Broden": /^features tiny_clip .*broden$/,
  "VL features of ImageNet": /^features tiny_clip .*imagenet val$/,
  "features of Broden": /^features (?!tiny_clip).*broden$/,
  "features of ImageNet": /^features (?!tiny_clip).*imagenet val$/,
  "probes": /^probes /,
  "last layer": /^last layer /,
  "gradients": /^gradients /,
  "original CAVs": /^cavs \S+ original_cav /,
  "mapped CAVs": /^cavs \S+ text_to_concept /,
  "guided CAVs": /^cavs \S+ lg_cav /,
  "accuracy of original CAVs": /^concept_accuracy of cavs \S+ original_cav /,
  "accuracy of mapped CAVs": /^concept_accuracy of cavs \S+ text_to_concept /,
  "accuracy of guided CAVs": /^concept_accuracy of cavs \S+ lg_cav /,
  "similarity of original CAVs": /^concept_to_class_accuracy of cavs \S+ original_cav /,
  "similarity of mapped CAVs": /^concept_to_class_accuracy of cavs \S+ text_to_concept /,
  "similarity of guided CAVs": /^concept_to_class_accuracy of cavs \S+ lg_cav /,
  "activations": /^vl_activation of /,
};
type Name = keyof typeof stages;
const all = Object.keys(stages) as Name[];
const allBut = (...names: Name[]) => all.filter((name) => !names.includes(name));

const ofOriginal: Name[] = [
  "original CAVs",
  "accuracy of original CAVs",
  "similarity of original CAVs",
];
const ofMapped: Name[] = ["mapped CAVs", "accuracy of mapped CAVs", "similarity of mapped CAVs"];
const ofGuided: Name[] = [
  "guided CAVs",
  "accuracy of guided CAVs",
  "similarity of guided CAVs",
  "activations",
];
const ofLanguage = [...ofMapped, ...ofGuided];
const ofCavs = [...ofOriginal, ...ofLanguage];
const similarities: Name[] = [
  "similarity of original CAVs",
  "similarity of mapped CAVs",
  "similarity of guided CAVs",
];
const withoutConcepts: Name[] = [
  "files of Broden",
  "files of ImageNet",
  "readable of Broden",
  "readable of ImageNet",
  "labels",
  "classes",
  "VL features of ImageNet",
  "features of ImageNet",
  "last layer",
  "gradients",
];
const ofPool: Name[] = [
  "VL features of ImageNet",
  "features of ImageNet",
  "probes",
  "gradients",
  ...ofLanguage,
  "similarity of original CAVs",
];

const experiments = (change: (json: Json) => void) => async (root: string) => {
  for (const id of ["outer", "inner", "guided"]) {
    await edit(join(root, "experiments", `${id}.json`), change);
  }
};
/** Changes the last character of a file, not its size. */
const overwrite = (...path: string[]) => async (root: string) => {
  const bytes = await Deno.readFile(join(root, ...path));
  bytes[bytes.length - 1]! ^= 1;
  await Deno.writeFile(join(root, ...path), bytes);
};
const append = (text: string, ...path: string[]) => (root: string) =>
  Deno.writeTextFile(join(root, ...path), text, { append: true });
const weights = async (root: string) => {
  await overwrite("zoo", "resnet18.safetensors")(root);
  const hash = sha256(await Deno.readFile(join(root, "zoo", "resnet18.safetensors")));
  await edit(join(root, "zoo", "resnet18.json"), (card) => card.sha256 = hash);
};

/** Changes of a root whose data are the world. */
const ofWorld: Readonly<Record<string, Row<Name>>> = {
  "shots": {
    change: experiments((json) => json.settings.shots.value = 5),
    renews: ["shots", ...ofCavs],
  },
  "another seed": { request: { seeds: [1] }, renews: ["shots", ...ofCavs] },
  "a further seed": { request: { seeds: [0, 1] }, adds: ["shots", ...ofCavs] },
  "fewer methods": { request: { experiments: ["outer"], methods: ["original_cav"] } },
  "a further backbone": {
    request: { experiments: ["outer"], backbones: ["resnet18", "mine", "resnet34"] },
    adds: [
      "features of Broden",
      "features of ImageNet",
      "last layer",
      ...ofOriginal,
      ...ofMapped,
    ],
  },
  "probes.count": {
    change: experiments((json) => json.settings.probes.count.value = 70),
    renews: ["probes", ...ofCavs],
  },
  "probes.choice": {
    change: experiments((json) => json.settings.probes.choice.value = "random"),
    renews: ["probes", ...ofLanguage],
  },
  "heldOut": {
    change: (root) =>
      edit(
        join(root, "experiments", "inner.json"),
        (json) => json.settings.heldOut.value = 2,
      ),
    renews: [
      "probes",
      "gradients",
      "guided CAVs",
      "accuracy of guided CAVs",
      "similarity of guided CAVs",
      "similarity of original CAVs",
    ],
    where: /intermediate|layer3|held out/,
  },
  "a level of method.coefficient": {
    change: (root) =>
      edit(
        join(root, "experiments", "guided.json"),
        (json) => json.factors["method.coefficient"] = [1, 3],
      ),
    adds: ["guided CAVs", "activations"],
  },
  "learning rate of original_cav, which LG-CAV extends": {
    change: configs("methods/original_cav.json", ({ hyperparameters }) => {
      hyperparameters.learningRate.value = 0.002;
    }),
    renews: [...ofOriginal, ...ofGuided],
  },
  "coefficient of lg_cav": {
    change: configs("methods/lg_cav.json", ({ hyperparameters }) => {
      hyperparameters.coefficient.value = 2;
    }),
    renews: ofGuided,
  },
  "the prompt": {
    change: configs("paper/prompts.json", (json) => {
      if (typeof json.prompt === "string") json.prompt = "a picture of {}.";
      else json.prompt.value = "a picture of {}.";
    }),
    renews: ["text", "probes", ...ofLanguage],
  },
  "a file of the VL model": {
    change: append("\n", "zoo", "tiny-clip", "tokenizer.json"),
    renews: [
      "text",
      "VL features of Broden",
      "VL features of ImageNet",
      "probes",
      ...ofLanguage,
    ],
  },
  "weights of a backbone": {
    change: weights,
    renews: [
      "features of Broden",
      "features of ImageNet",
      "last layer",
      "gradients",
      ...ofCavs,
    ],
    where: /resnet18/,
  },
  "preprocessing of a backbone": {
    change: configs("backbones/resnet18.json", ({ preprocess }) => preprocess.mean[0] = 0.5),
    renews: ["features of Broden", "features of ImageNet", "last layer", "gradients", ...ofCavs],
    where: /resnet18/,
  },
  "how intermediate features are pooled": {
    change: configs("backbones/resnet18.json", ({ intermediate }) => {
      intermediate.value.pool = "class_token";
    }),
    renews: [
      "features of Broden",
      "features of ImageNet",
      "gradients",
      ...ofOriginal,
      "guided CAVs",
      "accuracy of guided CAVs",
      "similarity of guided CAVs",
    ],
    where: /intermediate_pooled/,
  },
  "constants of an ONNX model beside it": {
    change: overwrite("data", "dynamo_external_data.onnx.data"),
    renews: [
      "features of Broden",
      "features of ImageNet",
      "last layer",
      ...ofOriginal,
      ...ofMapped,
    ],
    where: /mine/,
  },
  "class names of an ONNX model": {
    change: overwrite("data", "mine.txt"),
    renews: ["last layer", "similarity of original CAVs", "similarity of mapped CAVs"],
    where: /mine/,
  },
  "singleConcept.minimumImages": {
    change: configs("datasets/broden.json", ({ singleConcept }) => {
      singleConcept.minimumImages.value = 21;
    }),
    renews: allBut(...withoutConcepts),
  },
  "what is done with unreadable images of Broden": {
    change: configs("datasets/broden.json", (json) => json.unreadable = "skip"),
    renews: ["readable of Broden", "labels", ...allBut(...withoutConcepts)],
  },
  "what is done with unreadable images of ImageNet": {
    change: configs("datasets/imagenet.json", (json) => {
      json.unreadable = json.unreadable === "skip" ? "fail" : "skip";
    }),
    renews: ["readable of ImageNet", ...ofPool],
    where: /^(?!concept_to_class_accuracy of cavs \S+ original_cav seed)/,
  },
  "seed of the world": {
    change: configs("datasets/world.json", (json) => json.seed.value = 7),
    renews: all,
  },
  "image size of the world": {
    change: configs("datasets/world.json", (json) => json.imageSize.value = 32),
    renews: all,
  },
  "images of ImageNet's other split": {
    change: configs("datasets/world.json", ({ imagenet }) => imagenet.trainPerClass.value = 5),
  },
  "pairs from a file": {
    change: async (root) => {
      await Deno.writeTextFile(join(root, "pairs.csv"), "concept,class\n");
      await configs("profiles/world.json", (json) => json.pairs = { file: "pairs.csv" })(root);
    },
    renews: ["pairs", ...similarities],
  },
  "engine": { request: { engine: "tfjs" }, renews: ofCavs },
  "device": {
    request: { device: "cuda" },
    renews: [
      "text",
      "VL features of Broden",
      "VL features of ImageNet",
      "features of Broden",
      "features of ImageNet",
      "probes",
      "gradients",
      ...ofCavs,
    ],
  },
  "batch": { change: configs("profiles/world.json", (json) => json.batch = 3) },
  "titles": {
    change: async (root) => {
      for (const name of ["original_cav", "text_to_concept", "lg_cav"]) {
        await configs(`methods/${name}.json`, (json) => json.title = "Another")(root);
      }
      await configs("backbones/resnet18.json", (json) => json.title = "Another")(root);
      await configs("backbones/mine.json", (json) => json.short = "Another")(root);
      await configs("vl/tiny_clip.json", (json) => json.title = "Another")(root);
      await configs("profiles/world.json", (json) => json.title = "Another")(root);
      await experiments((json) => json.title = "Another")(root);
    },
  },
  "what is shown and its statistics": {
    change: experiments((json) => {
      json.version = 9;
      json.show = { as: "table", rows: "backbone", columns: ["method", "measure"] };
      json.concepts = ["red-c"];
      json.statistics = { ...json.statistics, seed: assumed(3), confidence: assumed(0.9) };
    }),
  },
  "sources of values": {
    change: experiments((json) => json.settings.shots = assumed(10)),
  },
  "name of the profile": {
    change: async (root) => {
      await cp(
        join(root, "configs", "profiles", "world.json"),
        join(root, "configs", "profiles", "other.json"),
      );
      await configs("profiles/other.json", (json) => json.name = "other")(root);
    },
    request: { profile: "other" },
  },
  "another folder of the same files": {},
};

/** Changes of a root whose data are a user's folders. */
const ofFolders: Readonly<Record<string, Row<Name>>> = {
  "an image of Broden overwritten": {
    change: overwrite("mine", "broden", "images", "a.jpg"),
    renews: ["files of Broden", "readable of Broden", "labels", ...allBut(...withoutConcepts)],
  },
  "two labels of Broden swapped": {
    change: (root) =>
      Deno.writeTextFile(join(root, "mine", "broden", "label.csv"), "number,name\n1,b\n2,a\n"),
    renews: ["files of Broden", "readable of Broden", "labels", ...allBut(...withoutConcepts)],
  },
  "an image of ImageNet overwritten": {
    change: overwrite("mine", "imagenet", "val", "n1", "a.JPEG"),
    renews: [
      "files of ImageNet",
      "readable of ImageNet",
      "classes",
      "pairs",
      "last layer",
      ...ofPool,
    ],
  },
  "an image of ImageNet's other split overwritten": {
    change: overwrite("mine", "imagenet", "train", "n1", "a.JPEG"),
  },
  "a line of the pairs cut": {
    change: (root) => Deno.writeTextFile(join(root, "mine", "pairs.csv"), "concept,class\n"),
    renews: ["pairs", ...similarities],
  },
  "the data at another place": {
    change: async (root) => {
      await Deno.rename(join(root, "mine"), join(root, "yours"));
      await configs("profiles/world.json", (json) => {
        json.datasets = {
          broden: { folder: "yours/broden" },
          imagenet: { folder: "yours/imagenet" },
        };
        json.pairs = { file: "yours/pairs.csv" };
      })(root);
    },
  },
  "the time of a file": {
    change: (root) => Deno.utime(join(root, "mine", "broden", "images", "a.jpg"), 1e9, 1e9),
  },
};

/** The root with three experiments, which have every kind of stage, and a classifier of one's own. */
async function worldRoot(): Promise<string> {
  const root = await miniRoot();
  await writeRandomWeights(root, "resnet34");
  const onnx = join(repository, "tests", "fixtures", "models", "onnx");
  await Deno.mkdir(join(root, "data"));
  for (const end of ["onnx", "onnx.data"]) {
    await cp(
      join(onnx, `dynamo_external_data.${end}`),
      join(root, "data", `dynamo_external_data.${end}`),
    );
  }
  await Deno.writeTextFile(join(root, "data", "mine.txt"), "one\ntwo\nthree\nfour\nfive");
  const { preprocess } = JSON.parse(
    await Deno.readTextFile(join(root, "configs", "backbones", "resnet18.json")),
  );
  await Deno.writeTextFile(
    join(root, "configs", "backbones", "mine.json"),
    JSON.stringify({
      name: "mine",
      family: "onnx",
      file: "data/dynamo_external_data.onnx",
      classNames: "data/mine.txt",
      // The model takes images of this side.
      preprocess: { ...preprocess, crop: 8 },
    }),
  );
  const experiment = (id: string, factors: Json, rest: Json) =>
    Deno.writeTextFile(
      join(root, "experiments", `${id}.json`),
      JSON.stringify({
        extends: "base/concept_quality.json",
        id,
        title: id,
        factors: { seed: assumed([0]), ...factors },
        measures: ["concept_accuracy", "concept_to_class_accuracy"],
        show: { as: "table", rows: "method", columns: ["backbone", "measure"] },
        settings: {
          shots: assumed(10),
          probes: { count: assumed(60), choice: assumed("extreme") },
        },
        statistics: {},
        ...rest,
      }),
    );
  await experiment(
    "outer",
    { backbone: ["resnet18", "mine"], method: ["original_cav", "text_to_concept"] },
    {},
  );
  await experiment(
    "inner",
    { method: ["original_cav", "lg_cav"], layer: ["intermediate", "intermediate_pooled"] },
    {
      settings: {
        shots: assumed(10),
        probes: { count: assumed(60), choice: assumed("extreme") },
        heldOut: assumed(1),
      },
    },
  );
  await experiment("guided", { method: ["lg_cav"] }, { measures: ["vl_activation"] });
  return root;
}

/** The same with folders of a user's instead of the world. */
async function foldersRoot(world: string): Promise<string> {
  const root = await copyOf(world);
  const files = {
    "broden/index.csv": "image\na.jpg\n",
    "broden/label.csv": "number,name\n1,a\n2,b\n",
    "broden/images/a.jpg": "an image",
    "imagenet/val/n1/a.JPEG": "an image",
    "imagenet/train/n1/a.JPEG": "an image",
    "pairs.csv": "concept,class\na,n1\n",
  };
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, "mine", path);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  await edit(join(root, "configs", "profiles", "world.json"), (json) => {
    json.datasets = { broden: { folder: "mine/broden" }, imagenet: { folder: "mine/imagenet" } };
    json.pairs = { file: "mine/pairs.csv" };
  });
  for (const id of ["outer", "inner", "guided"]) {
    const path = join(root, "experiments", `${id}.json`);
    // As many as the folders may have.
    await edit(path, (json) => json.settings.probes.count.value = 2);
  }
  return root;
}

const world = await worldRoot();
const folders = await foldersRoot(world);
const experimentIds = ["outer", "inner", "guided"];
await testKeys("the world", { root: world, stages, table: ofWorld, experiments: experimentIds });
await testKeys("folders", { root: folders, stages, table: ofFolders, experiments: experimentIds });
