import type { Factors } from "./factors.ts";
import type { Rendered } from "./render.ts";

const columns = [
  "image",
  "class",
  "view",
  "color",
  "object",
  "part",
  "material",
  "scene",
  "texture",
  "x",
  "y",
  "radius",
  "rotation",
  "light",
];

/** The header of factors.csv, the truth about every image of a dataset. */
export const factorsHeader = columns.join(",");

/** A row of factors.csv; an absent factor is an empty cell, several parts are joined by ";". */
export function factorsRow(
  image: { readonly name: string; readonly class: string },
  { factors, rendered }: { factors: Factors; rendered: Rendered },
): string {
  const { pose, light } = rendered;
  const numbers = [pose.x, pose.y, pose.radius, pose.rotation, light].map((x) => x.toFixed(4));
  return [
    image.name,
    image.class,
    factors.view,
    factors.color ?? "",
    factors.object ?? "",
    factors.parts.join(";"),
    factors.material ?? "",
    factors.scene ?? "",
    factors.texture ?? "",
    ...numbers,
  ].join(",");
}
