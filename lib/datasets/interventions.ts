import { parseTable, readTextFile } from "./_table_file.ts";

/** An image of an intervention. */
export interface Intervention {
  /** The file below the folder. */
  readonly image: string;
  /** The factor in which the images of its context differ. */
  readonly category: string;
  /** The context's number among those of the factor. */
  readonly context: string;
  /** The concept that the image shows. */
  readonly concept: string;
}

/**
 * The rows of interventions.csv below `root`, as the world writes it: what each image shows.
 *
 * @throws {UserError} when there is no such file or it lacks a column.
 */
export async function readInterventions(root: string): Promise<readonly Intervention[]> {
  const file = "interventions.csv";
  const columns = ["image", "category", "context", "concept"] as const;
  const text = await readTextFile(root, { file, dataset: "the interventions of the world" });
  const { rows } = parseTable(text, { path: `${root}/${file}`, columns });
  return rows.map(({ cells }) => {
    const [image, category, context, concept] = columns.map((column) => cells.get(column)!);
    return { image: image!, category: category!, context: context!, concept: concept! };
  });
}
