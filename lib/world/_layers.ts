import type { Random } from "../tensor/mod.ts";
import { type Rgb, secondShade, shadeOf } from "./_colours.ts";
import { colours, type Factors, type Part } from "./factors.ts";
import { materialModel } from "./_materials.ts";
import { length, unit } from "./_noise.ts";
import { type PartModel, partModel } from "./_parts.ts";
import type { Pose } from "./_pose.ts";
import { type Distance, shapeDistance } from "./_shapes.ts";
import { textureModel } from "./_textures.ts";

/** A point in the frame of the object: half the image's frame is 1, `depth` below the outline. */
export interface Point {
  x: number;
  y: number;
  depth: number;
}

/** Something painted over what lies behind it. */
export interface Layer {
  /** How much of the pixel at a point it covers, 0 to 1; sets the point's depth. */
  readonly cover: (point: Point) => number;
  /** Its colour at a point (red, green, blue, opacity), valid until the next call. */
  readonly paint: (point: Point) => Float64Array;
  /** Where its coverage is recorded. */
  readonly mask: Uint8Array;
  /** The masks of what it hides. */
  readonly hides: readonly Uint8Array[];
}

/** How bright a point is at a depth below an outline: outlines are dark, about two pixels wide. */
export function rim(depth: number): number {
  return 0.45 + 0.55 * unit(depth / 0.06);
}

/** The layers of an image from back to front: parts behind, the object or surface, parts before. */
export function layersOf(
  factors: Factors,
  { random, pose, size, masks }: {
    random: Random;
    pose: Pose;
    size: number;
    masks: { readonly object: Uint8Array; readonly parts: readonly Uint8Array[] };
  },
): readonly Layer[] {
  if (factors.view === "scene") return [];
  const colour = random.split("parts");
  const parts = factors.parts.map((name, index) => {
    const model = partModel[name];
    const cover = coverOf(model.distance, { pose, size, reach: 1.7 });
    const paint = partPaint(model, { pose, colours: partColours(name, colour.split(name)) });
    return { front: model.front, cover, paint, mask: masks.parts[index]!, hides: [] };
  });
  const body: Layer = {
    cover: factors.object === null
      ? fillFrame
      : coverOf(shapeDistance[factors.object], { pose, size, reach: 1.2 }),
    paint: surfacePaint(factors, { random: random.split("surface"), pose, pixel: 2 / size }),
    mask: masks.object,
    hides: masks.parts,
  };
  return [...parts.filter((part) => !part.front), body, ...parts.filter((part) => part.front)];
}

function fillFrame(point: Point): number {
  point.depth = Infinity;
  return 1;
}

/** Antialiased coverage inside an outline that lies within `reach` of its centre. */
function coverOf(
  distance: Distance,
  { pose, size, reach }: { pose: Pose; size: number; reach: number },
): Layer["cover"] {
  const { radius } = pose;
  return (point) => {
    const x = point.x / radius, y = point.y / radius;
    if (length(x, y) > reach + 2 / (size * radius)) return 0;
    point.depth = -distance(x, y) * radius;
    return unit(0.5 + point.depth * size / 2);
  };
}

/** The paint of an object or of a surface: colours, pattern, material and the light's direction. */
function surfacePaint(
  factors: Factors,
  { random, pose, pixel }: { random: Random; pose: Pose; pixel: number },
): Layer["paint"] {
  const base = shadeOf(factors.color ?? random.pick(colours), random.split("colour"));
  const second = secondShade(base, random.split("second colour"));
  // A small frame shows larger patterns, or they would be finer than its pixels.
  const period = random.split("period").between(0.2, 0.27) * Math.max(1, 24 * pixel);
  const phase = random.split("phase").between(0, 1);
  const tone = factors.texture === null
    ? null
    : textureModel[factors.texture](random.split("texture"), pixel / period);
  const finish = factors.material === null
    ? null
    : materialModel[factors.material](random.split("material"));
  const lamp = random.split("lamp").between(0, 2 * Math.PI);
  const lampX = 0.22 * Math.cos(lamp) / pose.radius;
  const lampY = 0.22 * Math.sin(lamp) / pose.radius;
  const colour = new Float64Array(4);
  return (point) => {
    const share = tone === null ? 0 : tone(point.x / period + phase, point.y / period + phase);
    const shade = 1 + point.x * lampX + point.y * lampY;
    for (let c = 0; c < 3; c++) colour[c] = (base[c]! + (second[c]! - base[c]!) * share) * shade;
    colour[3] = 1;
    finish?.(point, colour);
    return colour;
  };
}

function partPaint(
  model: PartModel,
  { pose, colours }: { pose: Pose; colours: readonly [Rgb, Rgb] },
): Layer["paint"] {
  const [own, second] = colours.map((rgb) => Float64Array.of(...rgb, 1)) as [
    Float64Array,
    Float64Array,
  ];
  return ({ x, y }) => (model.tone(x / pose.radius, y / pose.radius) === 0 ? own : second);
}

/** The two colours of a part: eyes and horns pale, wheels dark, other parts either. */
function partColours(name: Part, random: Random): readonly [Rgb, Rgb] {
  const pale = name === "eye" || name === "horn" || (name !== "wheel" && random.uniform() < 0.5);
  const light = pale ? random.between(0.75, 0.95) : random.between(0.12, 0.3);
  const warmth = random.between(-0.07, 0.07);
  const second = pale ? random.between(0.03, 0.15) : random.between(0.65, 0.85);
  return [[light + warmth, light, light - warmth], [second, second, second]];
}
