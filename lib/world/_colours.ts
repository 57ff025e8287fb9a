import type { Random } from "../tensor/mod.ts";
import type { Colour } from "./factors.ts";

/** Red, green and blue from 0 to 1 (sRGB as stored). */
export type Rgb = readonly [number, number, number];

/** Hue in degrees, saturation and lightness, each with its range. */
const ranges: Readonly<Record<Colour, readonly [number, number, number, number, number, number]>> =
  {
    red: [-8, 7, 0.7, 0.95, 0.38, 0.5],
    orange: [22, 32, 0.85, 1, 0.47, 0.55],
    yellow: [50, 59, 0.8, 1, 0.48, 0.58],
    green: [100, 150, 0.45, 0.85, 0.28, 0.42],
    blue: [208, 234, 0.6, 0.95, 0.38, 0.52],
    purple: [268, 288, 0.45, 0.75, 0.33, 0.47],
    pink: [325, 345, 0.7, 1, 0.69, 0.8],
    brown: [18, 32, 0.4, 0.6, 0.2, 0.31],
    white: [0, 360, 0, 0.12, 0.88, 0.97],
  };

/** Draws a shade of a colour. */
export function shadeOf(colour: Colour, random: Random): Rgb {
  const [h0, h1, s0, s1, l0, l1] = ranges[colour];
  return hsl(random.between(h0, h1), random.between(s0, s1), random.between(l0, l1));
}

/**
 * Draws the second colour of a surface: the first one made much darker or, where it is dark enough
 * itself, much lighter, so that the surface keeps its colour's name.
 */
export function secondShade(base: Rgb, random: Random): Rgb {
  const brightness = 0.3 * base[0] + 0.59 * base[1] + 0.11 * base[2];
  const strength = random.between(0.62, 0.8);
  const towards = random.uniform() < 1.35 - 1.7 * brightness ? 0.97 : 0.06;
  return mix(base, [towards, towards, towards], strength);
}

/** Colours between two, `share` of the second. */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [
    a[0] + (b[0] - a[0]) * share,
    a[1] + (b[1] - a[1]) * share,
    a[2] + (b[2] - a[2]) * share,
  ];
}

/** A colour from hue in degrees, saturation and lightness. */
export function hsl(hue: number, saturation: number, lightness: number): Rgb {
  const amplitude = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (((n + hue / 30) % 12) + 12) % 12;
    return lightness - amplitude * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [channel(0), channel(8), channel(4)];
}
