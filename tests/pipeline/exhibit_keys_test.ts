import { join } from "node:path";
import { edit, miniRoot } from "../cli/_mini_root.ts";
import { configs, type Json, type Row, testKeys } from "./_keys.ts";

const stages = {
  "activated images": /^most and least activated images of /,
  "corrected images": /^images corrected by /,
  "what they need": /^(?!most and least|images corrected)/,
};
type Name = keyof typeof stages;

const show = (id: string, change: (json: Json) => void) => (root: string) =>
  edit(join(root, "experiments", `${id}.json`), (json) => change(json.show));

const table: Readonly<Record<string, Row<Name>>> = {
  "how many concepts are shown": {
    change: show("figure5", (json) => json.concepts.value = 3),
    renews: ["activated images"],
  },
  "how many images a concept shows": {
    change: show("figure5", (json) => json.images.value = 2),
    renews: ["activated images"],
  },
  "how fine Grad-CAM is": {
    change: show(
      "figure5b",
      (json) => json.cells = { value: 2, source: "assumed", why: "Another" },
    ),
    renews: ["corrected images"],
  },
  "how many corrected images are shown, and of a class": {
    change: show("figure5b", (json) => {
      json.images.value = 2;
      json.perClass.value = 2;
    }),
    renews: ["corrected images"],
  },
  "a title": {
    change: (root) =>
      edit(join(root, "experiments", "figure5.json"), (json) => json.title = "Another"),
  },
  "the batch": { change: configs("profiles/world.json", (profile) => profile.batch = 3) },
  "the temperature of ASR": {
    change: configs("corrections/lg_cav_asr.json", ({ hyperparameters }) => {
      hyperparameters.temperature.value = 2;
    }),
    renews: ["corrected images", "what they need"],
    where: /lg_cav_asr/,
  },
  "how images are prepared for the backbone": {
    change: configs("backbones/resnet18.json", (json) => json.preprocess.mean[0] = 0.5),
    renews: ["activated images", "corrected images", "what they need"],
    where: /activated|corrected|last layer|cavs resnet18|features resnet18|lg_cav_asr/,
  },
};

await testKeys("galleries", {
  root: await miniRoot(),
  stages,
  table,
  experiments: ["figure5", "figure5b"],
});
