import type { Random } from "../tensor/mod.ts";
import type { Factors } from "./factors.ts";
import { layersOf, rim } from "./_layers.ts";
import { unit } from "./_noise.ts";
import { type Pose, poseOf } from "./_pose.ts";
import { backgroundOf } from "./_scenes.ts";
import { shiftImage } from "./_shift.ts";
import { varietyOf } from "./_variety.ts";

export type { Pose } from "./_pose.ts";

/** An image with the truth about it. */
export interface Rendered {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, row by row. */
  readonly data: Uint8Array;
  /** How much of each pixel shows the object (or the surface that fills the frame): 0 to 255. */
  readonly object: Uint8Array;
  /** The same for each part, in the order of the factors. */
  readonly parts: readonly Uint8Array[];
  readonly pose: Pose;
  /** The factor that the light multiplies every colour with. */
  readonly light: number;
}

/** Of what an image is drawn, and what is made otherwise than in the default world. */
export interface RenderOptions {
  readonly random: Random;
  readonly size: number;
  /** How far outlines and surfaces are bent and tinted from image to image, 0 to 1. */
  readonly variety?: number | undefined;
  /** How far the image is of another kind: darker, tinted, blurred and grainy, 0 to 1. */
  readonly shift?: number | undefined;
}

/**
 * Renders the factors as `size` x `size` pixels. Everything else (pose, shades, light, noise) is
 * drawn from the random stream, each kind from a split of its own, so that changing one factor
 * leaves the rest of the nuisance as it was.
 */
export function renderImage(
  factors: Factors,
  { random, size, variety = 0, shift = 0 }: RenderOptions,
): Rendered {
  const pose = poseOf(factors, random.split("pose"));
  const background = backgroundOf(factors.scene, random.split("background"));
  const light = random.split("light").between(0.82, 1.12);
  const grain = random.split("noise");
  const noise = grain.between(0.01, 0.07);
  const parts = factors.parts.map(() => new Uint8Array(size * size));
  const object = new Uint8Array(size * size);
  const layers = layersOf(factors, { random, pose, size, masks: { object, parts } });
  const data = new Uint8Array(size * size * 3);
  const colour = new Float64Array(4);
  const point = { x: 0, y: 0, depth: 0 };
  const { bend, gains } = varietyOf(variety, random.split("variety"));
  const cos = Math.cos(pose.rotation), sin = Math.sin(pose.rotation);
  for (let pixel = 0; pixel < size * size; pixel++) {
    point.x = (2 * (pixel % size) + 1) / size - 1;
    point.y = (2 * Math.floor(pixel / size) + 1) / size - 1;
    bend(point);
    const { x, y } = point;
    background(x, y, colour);
    point.x = (x - pose.x) * cos + (y - pose.y) * sin;
    point.y = (y - pose.y) * cos - (x - pose.x) * sin;
    if (pose.mirrored) point.x = -point.x;
    for (const layer of layers) {
      const cover = layer.cover(point);
      if (cover === 0) continue;
      blend(layer.paint(point), { into: colour, cover, rim: rim(point.depth) });
      layer.mask[pixel] = 255 * cover;
      for (const mask of layer.hides) mask[pixel] = mask[pixel]! * (1 - cover);
    }
    for (let c = 0; c < 3; c++) {
      const value = colour[c]! * light * gains[c]! + noise * (grain.uniform() - 0.5);
      data[3 * pixel + c] = Math.round(255 * unit(value));
    }
  }
  if (shift > 0) shiftImage(data, { size, shift, random: random.split("shift") });
  return { width: size, height: size, data, object, parts, pose, light };
}

/** Lays a colour with opacity over another. A rim is opaque whatever lies behind it. */
function blend(
  colour: Float64Array,
  { into, cover, rim }: { into: Float64Array; cover: number; rim: number },
): void {
  const share = cover * Math.max(colour[3]!, 1 - rim);
  for (let c = 0; c < 3; c++) into[c] = into[c]! + (colour[c]! * rim - into[c]!) * share;
}
