import { UserError } from "../files/mod.ts";
import { type LabelledImages, subset } from "../images/mod.ts";

/** Some classes of a larger dataset as a dataset of their own. */
export interface ClassView extends LabelledImages {
  /** Each class's position in the larger dataset: its row of the model's last layer. */
  readonly rows: Int32Array;
}

/**
 * The images of the listed classes, labelled by their position in the list, under the names given
 * there (ImageNet-40, Table 18).
 *
 * @throws {UserError} when a listed class is not in `whole` or has no image.
 */
export function viewOfClasses(
  whole: LabelledImages,
  options: {
    readonly name: string;
    readonly classes: readonly { readonly id: string; readonly name: string }[];
  },
): ClassView {
  const { name, classes } = options;
  const rowOf = new Map(whole.classes.map(({ id }, row) => [id, row]));
  const rows = classes.map(({ id }) => {
    const row = rowOf.get(id);
    if (row !== undefined) return row;
    throw new UserError(
      `Cannot make ${name}: the class ${id} is not in ${whole.images.name}. Correct the list.`,
    );
  });
  const labelOf = new Map(rows.map((row, label) => [row, label]));
  const indices = Int32Array.from(whole.labels.keys()).filter((i) => labelOf.has(whole.labels[i]!));
  const labels = indices.map((i) => labelOf.get(whole.labels[i]!)!);
  const present = new Set(labels);
  const empty = classes.find((_, label) => !present.has(label));
  if (empty !== undefined) {
    throw new UserError(
      `Cannot make ${name}: ${whole.images.name} has no image of the class ${empty.id} ` +
        `(${empty.name}). Unpack that class's images.`,
    );
  }
  return {
    images: subset(whole.images, { name, indices }),
    classes: classes.map(({ id, name }) => ({ id, name })),
    labels,
    rows: Int32Array.from(rows),
  };
}
