import { UserError } from "../../files/mod.ts";
import type { LabelledImages } from "../../images/mod.ts";
import type { LastLayer } from "../../models/mod.ts";
import { readSafetensors, takeRows, tensor, writeSafetensors } from "../../tensor/mod.ts";
import { matchClasses } from "../classes.ts";
import { loadLastLayer } from "../models.ts";
import { artifactKind, type Codec } from "../stage.ts";
import type { TargetHow } from "./gradients.ts";

/** A last layer as safetensors, `weight` [classes, dim] and `bias` [classes]. */
export const layerCodec: Codec<LastLayer> = {
  encode: ({ weight, bias }) =>
    writeSafetensors(new Map([["weight", weight], ["bias", bias]]), {}, { dtype: "F32" }),
  decode: (bytes) => {
    const { tensors } = readSafetensors(bytes);
    return { weight: tensors.get("weight")!, bias: tensors.get("bias")! };
  },
};

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
  codec: layerCodec,
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
    if (layer.weight.data.every(Number.isFinite) && layer.bias.data.every(Number.isFinite)) {
      return layer;
    }
    throw new UserError(
      `The weights of "${node.id}" hold what is no finite number. Take an undamaged file.`,
    );
  },
});
