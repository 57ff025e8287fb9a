import type { Broden } from "./broden.ts";
import type { FoundLabel } from "./broden_labels.ts";
import { parseTable, readTextFile } from "./_table_file.ts";

/** The columns of factors.csv that say what an image shows, and how Broden names end in them. */
const endings = { color: "-c", object: "", part: "", material: "", scene: "-s", texture: "" };
const columns = Object.keys(endings) as (keyof typeof endings)[];

/**
 * All that each image of Broden truly shows, labelled or not, as labels that cover nothing: from
 * factors.csv below `root`, the file with the truth about every image that the world writes.
 *
 * @throws {UserError} when there is no such file or column.
 */
export async function readShownLabels(
  root: string,
  { labels, images: { ids } }: Pick<Broden, "labels" | "images">,
): Promise<readonly (readonly FoundLabel[])[]> {
  const file = { file: "factors.csv", dataset: "what images truly show" };
  const { rows } = parseTable(await readTextFile(root, file), {
    path: `${root}/factors.csv`,
    columns: ["image", ...columns],
  });
  const numberOf = new Map([...labels.values()].map(({ name, number }) => [name, number]));
  const shown = new Map(rows.map(({ cells }) => {
    const ofImage = columns.flatMap((category) =>
      cells.get(category)!.split(";").flatMap((value) => {
        const number = numberOf.get(value + endings[category]);
        return number === undefined ? [] : [{ number, category, fraction: 0 }];
      })
    );
    return [cells.get("image")!, ofImage] as const;
  }));
  return ids.map((id) => shown.get(id) ?? []);
}
