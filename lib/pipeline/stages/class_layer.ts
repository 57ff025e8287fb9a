import { UserError } from "../../files/mod.ts";
import type { LabelledImages } from "../../images/mod.ts";
import { isFiniteLayer, type LastLayer } from "../../models/mod.ts";
import { takeRows, tensor } from "../../tensor/mod.ts";
import { matchClasses } from "../classes.ts";
import { loadLastLayer, type TargetHow } from "../models.ts";
import { artifactKind, tensorCodec } from "../stage.ts";

/**
 * The rows of a model's last layer for the classes of a dataset, in their order: of a model of more
 * classes the others are removed (paper, Section 4.2). `only` names the classes of a view.
 */
export const classLayerKind = artifactKind<
  { readonly classes: LabelledImages["classes"] },
  {
    readonly model: unknown;
    readonly classNames?: string;
    readonly only?: readonly string[];
  },
  { readonly model: TargetHow },
  LastLayer
>({
  name: "class_layer",
  isCheck: true,
  version: 1,
  codec: tensorCodec(["weight", "bias"]),
  compute: async (node, { need }) => {
    const { how: { model }, inputs: { only } } = node;
    const classes = await need(node, "classes");
    const { weight, bias, classNames } = await loadLastLayer(model);
    const count = weight.shape[0]!;
    const { logits } = matchClasses(classes, { classNames, logits: count });
    const ids = only ?? classes.map(({ id }) => id);
    const missing = ids.filter((id) => !logits.has(id));
    if (missing.length > 0) {
      throw new UserError(
        `The ${count} logits of "${node.id}" are not the ${classes.length} classes of the dataset: ` +
          `${missing.length} of ${ids.length} have none, such as ${
            missing[0]
          }. Take weights that ` +
          `were trained on these classes, or correct the model's class names.`,
      );
    }
    const rows = ids.map((id) => logits.get(id)!);
    const layer = {
      weight: takeRows(weight, rows),
      bias: tensor([rows.length], Float32Array.from(rows, (index) => bias.data[index]!)),
    };
    if (isFiniteLayer(layer)) return layer;
    throw new UserError(
      `The weights of "${node.id}" hold what is no finite number. Take an undamaged file.`,
    );
  },
});
