import { colours, type Factors, parts, shapes, textures } from "./factors.ts";
import type { ObjectClass, ObjectImage } from "./_object_images.ts";
import type { Rendered } from "./render.ts";

/** CUB's attributes are named `<question>::<answer>`. */
const attributes: readonly { name: string; holds: (factors: Factors) => boolean }[] = [
  ...shapes.map((value) => ({
    name: `has_shape::${value}`,
    holds: (factors: Factors) => factors.object === value,
  })),
  ...colours.map((value) => ({
    name: `has_primary_color::${value}`,
    holds: (factors: Factors) => factors.color === value,
  })),
  ...textures.map((value) => ({
    name: `has_pattern::${value}`,
    holds: (factors: Factors) => factors.texture === value,
  })),
  ...parts.map((value) => ({
    name: `has_part::${value}`,
    holds: (factors: Factors) => factors.parts.includes(value),
  })),
];

/** CUB's code for a definite answer. */
const definitely = 4;

/**
 * attributes.txt (number, name), attributes/image_attribute_labels.txt (image, attribute, is
 * present, certainty, seconds) and attributes/class_attribute_labels_continuous.txt (a row a class, percent).
 */
export function attributeFiles(
  images: readonly ObjectImage<ObjectClass>[],
  classes: readonly ObjectClass[],
): Readonly<Record<string, readonly string[]>> {
  return {
    "attributes.txt": attributes.map(({ name }, index) => `${index + 1} ${name}`),
    "attributes/image_attribute_labels.txt": images.flatMap(({ factors }, image) =>
      attributes.map(({ holds }, index) =>
        `${image + 1} ${index + 1} ${holds(factors) ? 1 : 0} ${definitely} 0`
      )
    ),
    "attributes/class_attribute_labels_continuous.txt": classes.map(({ factors }) =>
      attributes.map(({ holds }) => (holds(factors) ? "100.0" : "0.0")).join(" ")
    ),
  };
}

/** The box about the object and its parts: left, upper edge, width, height, in pixels. */
export function boundingBox({ object, parts, width, height }: Rendered): readonly number[] {
  let left = width, top = height, right = 0, bottom = 0;
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (object[pixel]! < 128 && parts.every((mask) => mask[pixel]! < 128)) continue;
    const x = pixel % width, y = Math.floor(pixel / width);
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  }
  return [left, top, Math.max(0, right - left), Math.max(0, bottom - top)];
}
