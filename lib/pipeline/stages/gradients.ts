import {
  type FeatureRows,
  rowsPerBlock,
  storeImageFeatures,
  writeRowsBlock,
} from "../../activations/mod.ts";
import type { LabelledImages } from "../../images/mod.ts";
import type { Store } from "../../store/mod.ts";
import { range, takeRows, type Tensor } from "../../tensor/mod.ts";
import { listed, UserError } from "../../files/mod.ts";
import { type ClassMatch, matchClasses } from "../classes.ts";
import { loadLastLayer, openGradients, type TargetHow } from "../models.ts";
import {
  jsonCodec,
  markComplete,
  refOf,
  type StageKind,
  type StageNode,
  storedInParts,
} from "../stage.ts";
import { type FeaturesInputs, loadRows } from "./features.ts";
import type { DatasetFiles } from "./files.ts";
import { type LabelledOf, openImages, type ReadableImages } from "./images.ts";
import { heldOutPositions } from "./probes.ts";

/** Gradients of logits: each row is of the class beside it, at one of its images. */
export interface ClassGradients {
  /** Class ids of the dataset; one that the model does not know is not among them. */
  readonly classes: readonly string[];
  readonly gradients: FeatureRows;
}

/**
 * The gradients of the logits at the features of the last layer: the rows of its weight, the same at
 * every image.
 */
export const lastLayerKind: StageKind<
  { readonly classes: LabelledImages["classes"] },
  { readonly model: unknown; readonly classNames?: string },
  { readonly model: TargetHow },
  ClassGradients
> = {
  name: "last_layer",
  isCheck: true,
  version: 1,
  ...storedInParts(loadGradients),
  group: ({ key }) => key,
  run: async ([node], { need, remark, store }) => {
    const classes = await need(node!, "classes");
    const { weight, classNames } = await loadLastLayer(node!.how.model);
    const match = matchClasses(classes, { classNames, logits: weight.shape[0]! });
    requireMatch(match, { node: node!, classes, logits: weight.shape[0]!, remark });
    const { logits } = match;
    const known = classes.flatMap(({ id }) => logits.has(id) ? [id] : []);
    const rows = takeRows(weight, known.map((id) => logits.get(id)!));
    await storeGradients(node!, { store, classes: known, rows });
  },
};

/** A measure over pairs takes classes that the model knows; it says which it does not. */
function requireMatch(
  { logits: known, strangers }: ClassMatch,
  { node, classes, logits, remark }: {
    readonly node: StageNode;
    readonly classes: LabelledImages["classes"];
    readonly logits: number;
    readonly remark: (sentence: string) => void;
  },
): void {
  if (known.size === 0) {
    throw new UserError(
      `None of the ${logits} logits of "${node.id}" is one of the dataset's ${classes.length} ` +
        `classes${
          strangers.length > 0 ? `, such as "${strangers[0]}"` : ""
        }; measures over pairs of concept and class take a model of these classes. Correct its ` +
        `class names, or measure what needs none, such as table1.`,
    );
  }
  if (strangers.length > 0) {
    remark(
      `${node.id}: ${strangers.length} of ${logits} class names are no class of the dataset: ` +
        `${listed(strangers)}.`,
    );
  }
  const missing = classes.filter(({ id }) => !known.has(id));
  if (missing.length > 0) {
    remark(
      `${node.id}: the model does not know ${missing.length} of ${classes.length} classes, whose ` +
        `pairs are not measured: ${listed(missing.map(({ name }) => name))}.`,
    );
  }
}

/** Stores the gradients of a node, [rows, dim], and the class of each. */
async function storeGradients(
  node: StageNode,
  { store, classes, rows }: {
    readonly store: Store;
    readonly classes: readonly string[];
    readonly rows: Tensor;
  },
): Promise<void> {
  const ref = refOf(node);
  for (let start = 0; start < classes.length; start += rowsPerBlock) {
    const end = Math.min(start + rowsPerBlock, classes.length);
    const part = takeRows(rows, range(start, end));
    await writeRowsBlock(part, { store, ref, start });
  }
  await store.write({ ...ref, part: "classes" }, classesCodec.encode(classes));
  await markComplete(node, { store, count: classes.length });
}

const classesCodec = jsonCodec<readonly string[]>();

async function loadGradients(
  node: StageNode,
  options: { readonly store: Store; readonly count: number },
): Promise<ClassGradients | undefined> {
  const classes = await options.store.read({ ...refOf(node), part: "classes" });
  const gradients = await loadRows(node, options);
  return classes && gradients && { classes: classesCodec.decode(classes), gradients };
}

/** What the gradients at an intermediate layer need. */
export interface GradientsNeeds {
  readonly files: DatasetFiles;
  readonly readable: ReadableImages;
  readonly classes: LabelledImages["classes"];
}

/** What they depend on, besides the images. */
export interface GradientsInputs extends Omit<FeaturesInputs, "of"> {
  readonly of: LabelledOf;
  /** Identifies the names of the model's logits, where it brings its own. */
  readonly classNames?: string;
  /** Images of each class, which are never probes. */
  readonly heldOut: number;
}

/**
 * The gradients of the logits at an intermediate layer, at the images of each class that are kept
 * from the probes: of an image, that of its own class.
 */
export const gradientsKind: StageKind<
  GradientsNeeds,
  GradientsInputs,
  { readonly model: TargetHow; readonly batch: number },
  ClassGradients
> = {
  name: "gradients",
  version: 1,
  ...storedInParts(loadGradients),
  group: ({ key }) => key,
  run: async ([node], context) => {
    const { inputs, how } = node!;
    const { need, store } = context;
    const [files, readable, classes] = [
      await need(node!, "files"),
      await need(node!, "readable"),
      await need(node!, "classes"),
    ];
    const chosen = await heldOutPositions(inputs, { files, readable });
    const gradients = await openGradients(how.model, { ...context, output: inputs.output });
    try {
      const match = { classNames: undefined, logits: gradients.logits };
      const { logits } = matchClasses(classes, match);
      const known = chosen.positions.map((_, i) => i)
        .filter((i) => logits.has(chosen.classes[i]!));
      const ofRows = known.map((i) => chosen.classes[i]!);
      const logitOf = ofRows.map((id) => logits.get(id)!);
      await storeImageFeatures(await openImages(inputs.of, files), {
        ...context,
        indices: known.map((i) => readable.indices[chosen.positions[i]!]!),
        batch: how.batch,
        encoder: {
          ...gradients,
          encode: (pixels, count, first) =>
            gradients.gradientsOf(pixels, logitOf.slice(first, first + count)),
        },
        ref: refOf(node!),
      });
      await store.write({ ...refOf(node!), part: "classes" }, classesCodec.encode(ofRows));
      await markComplete(node!, { store, count: known.length });
    } finally {
      await gradients.close();
    }
  },
};
