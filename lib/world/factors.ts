/** The categories of Broden that the world has, in the order of index.csv's columns. */
export const categories = ["color", "object", "part", "material", "scene", "texture"] as const;
export type Category = typeof categories[number];

export const colours = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "brown",
  "white",
] as const;
export type Colour = typeof colours[number];

export const shapes = [
  "ball",
  "box",
  "cone",
  "star",
  "cross",
  "ring",
  "heart",
  "crescent",
  "arrow",
  "bolt",
] as const;
export type Shape = typeof shapes[number];

export const parts = ["handle", "horn", "wheel", "leg", "wing", "eye"] as const;
export type Part = typeof parts[number];

export const materials = ["metal", "wood", "fabric", "glass", "stone", "paper"] as const;
export type Material = typeof materials[number];

export const scenes = [
  "beach",
  "forest",
  "desert",
  "ocean",
  "snowfield",
  "street",
  "kitchen",
  "night sky",
] as const;
export type Scene = typeof scenes[number];

export const textures = [
  "striped",
  "dotted",
  "chequered",
  "zigzagged",
  "grid",
  "woven",
  "cracked",
  "bubbly",
  "swirly",
  "honeycombed",
] as const;
export type Texture = typeof textures[number];

/**
 * What an image shows, its nuisance apart. `view` says how: an object before a background, a
 * surface that fills the frame, a scene alone, or an object so near that its first part fills the
 * frame. A null factor is absent: no object, a plain surface, a neutral background.
 */
export interface Factors {
  readonly view: "object" | "surface" | "scene" | "part";
  readonly color: Colour | null;
  readonly object: Shape | null;
  readonly parts: readonly Part[];
  readonly material: Material | null;
  readonly scene: Scene | null;
  readonly texture: Texture | null;
}

/** No factor at all, from which the factors of an image are spelled. */
export const noFactors: Factors = {
  view: "surface",
  color: null,
  object: null,
  parts: [],
  material: null,
  scene: null,
  texture: null,
};
