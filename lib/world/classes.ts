import type { ObjectClass } from "./_object_images.ts";
import type { Colour, Factors, Material, Part, Scene, Shape, Texture } from "./factors.ts";
import { materials, noFactors } from "./factors.ts";
import { objectInWords, partsInWords } from "./_words.ts";

/** A class of the world's ImageNet; its id is its folder, spelled as a WordNet id. */
export interface WorldClass extends ObjectClass {
  readonly synonym: string;
}

/**
 * Shape, colour, surface (a texture or a material), part and preferred scene of each class. Any two
 * classes differ in at least two of shape, colour and surface, and every value of a factor occurs in
 * several classes, so that no factor alone gives a class away.
 */
const table: readonly (readonly [Shape, Colour, Texture | Material, Part | null, Scene])[] = [
  ["ball", "orange", "dotted", null, "night sky"],
  ["ball", "green", "glass", "horn", "kitchen"],
  ["ball", "red", "honeycombed", null, "beach"],
  ["ball", "yellow", "cracked", "horn", "forest"],
  ["box", "yellow", "woven", null, "ocean"],
  ["box", "pink", "zigzagged", "wheel", "forest"],
  ["box", "white", "wood", null, "beach"],
  ["box", "orange", "bubbly", "wing", "forest"],
  ["cone", "white", "chequered", null, "ocean"],
  ["cone", "brown", "zigzagged", "wing", "street"],
  ["cone", "red", "paper", null, "beach"],
  ["cone", "blue", "striped", "eye", "desert"],
  ["star", "brown", "metal", null, "street"],
  ["star", "orange", "grid", "eye", "night sky"],
  ["star", "blue", "paper", null, "beach"],
  ["star", "pink", "cracked", "leg", "snowfield"],
  ["cross", "green", "bubbly", null, "kitchen"],
  ["cross", "yellow", "wood", "horn", "street"],
  ["cross", "purple", "honeycombed", null, "desert"],
  ["cross", "brown", "swirly", "handle", "kitchen"],
  ["ring", "red", "woven", null, "street"],
  ["ring", "yellow", "fabric", "wheel", "snowfield"],
  ["ring", "pink", "chequered", null, "night sky"],
  ["ring", "purple", "swirly", "handle", "snowfield"],
  ["heart", "brown", "stone", null, "forest"],
  ["heart", "pink", "grid", "wheel", "night sky"],
  ["heart", "red", "striped", null, "kitchen"],
  ["heart", "orange", "fabric", "eye", "desert"],
  ["crescent", "purple", "striped", null, "night sky"],
  ["crescent", "white", "woven", "leg", "ocean"],
  ["crescent", "green", "metal", null, "ocean"],
  ["crescent", "blue", "stone", "handle", "desert"],
  ["arrow", "blue", "honeycombed", null, "ocean"],
  ["arrow", "green", "chequered", "wing", "street"],
  ["arrow", "purple", "glass", null, "forest"],
  ["arrow", "white", "dotted", "handle", "kitchen"],
  ["bolt", "blue", "dotted", null, "beach"],
  ["bolt", "green", "swirly", "leg", "desert"],
  ["bolt", "purple", "zigzagged", null, "snowfield"],
  ["bolt", "red", "cracked", "horn", "snowfield"],
];

/** The 40 classes of the world's ImageNet, sorted by id: the position is the class's index. */
export function worldClasses(): readonly WorldClass[] {
  return table.map(([object, color, surface, part, preferredScene], index) => {
    const made = isMaterial(surface);
    const factors: Factors = {
      ...noFactors,
      view: "object",
      object,
      color,
      texture: made ? null : surface,
      material: made ? surface : null,
      parts: part === null ? [] : [part],
    };
    const having = partsInWords(factors);
    return {
      id: `n9${String(index + 1).padStart(7, "0")}`,
      name: objectInWords(factors),
      synonym: made
        ? `${color} ${object} of ${surface}${having}`
        : `${surface} ${object} in ${color}${having}`,
      factors,
      preferredScene,
    };
  });
}

function isMaterial(surface: Texture | Material): surface is Material {
  return (materials as readonly string[]).includes(surface);
}
