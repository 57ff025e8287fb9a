import type { Random } from "../tensor/mod.ts";
import type { Texture } from "./factors.ts";
import { type Cell, fraction, length, unit, valueNoise, voronoi } from "./_noise.ts";

/**
 * A pattern of two tones: 0 the base colour, 1 the second one. Coordinates are counted in periods
 * of the pattern.
 */
export type Tone = (x: number, y: number) => number;

/** Draws a pattern whose edges are `pixel` periods soft. */
export type TextureModel = (random: Random, pixel: number) => Tone;

/** The patterns of the world, named as in the Describable Textures Dataset of Broden. */
export const textureModel: Readonly<Record<Texture, TextureModel>> = {
  striped: (random, pixel) => {
    const half = random.between(0.2, 0.28);
    return (_, y) => edge(half - centred(y), pixel);
  },
  dotted: (random, pixel) => {
    const radius = random.between(0.24, 0.31);
    return (x, y) => edge(radius - length(centred(x), centred(y)), pixel);
  },
  chequered: (random, pixel) => {
    const scale = random.between(0.62, 0.75);
    return (x, y) => {
      const dx = 0.25 - centred(x * scale);
      const dy = 0.25 - centred(y * scale);
      const near = Math.min(Math.abs(dx), Math.abs(dy));
      return edge(dx * dy > 0 ? near : -near, pixel * scale);
    };
  },
  zigzagged: (random, pixel) => {
    const height = random.between(1.1, 1.5);
    const half = random.between(0.2, 0.26);
    return (x, y) => edge(half - centred(y * 0.9 + height * centred(x * 0.6)), pixel * 1.4);
  },
  grid: (random, pixel) => {
    const half = random.between(0.09, 0.14);
    return (x, y) => edge(half - Math.min(centred(x * 0.85), centred(y * 0.85)), pixel);
  },
  woven: (random, pixel) => {
    const scale = random.between(0.5, 0.58);
    return (x, y) => {
      const column = Math.floor(x * scale);
      const row = Math.floor(y * scale);
      const along = ((column + row) & 1) === 0 ? x : y;
      return edge(0.25 - centred(along * scale * 2 + 0.25), pixel * scale * 2);
    };
  },
  cracked: (random, pixel) => {
    const seed = random.bits() | 0;
    const cell: Cell = { nearest: 0, second: 0, noise: 0 };
    const scale = random.between(0.5, 0.6);
    return (x, y) => {
      voronoi(x * scale, y * scale, { seed, cell });
      return edge(0.09 - (cell.second - cell.nearest), pixel * scale);
    };
  },
  bubbly: (random, pixel) => {
    const seed = random.bits() | 0;
    const cell: Cell = { nearest: 0, second: 0, noise: 0 };
    const scale = random.between(0.5, 0.6);
    return (x, y) => {
      voronoi(x * scale, y * scale, { seed, cell });
      const radius = 0.24 + 0.2 * cell.noise;
      const rim = 0.09 - Math.abs(cell.nearest - radius);
      return Math.max(edge(rim, pixel * scale), 0.3 * edge(radius - cell.nearest, pixel * scale));
    };
  },
  swirly: (random, pixel) => {
    const seed = random.bits() | 0;
    const cx = random.between(-0.8, 0.8);
    const cy = random.between(-0.8, 0.8);
    const turn = random.uniform() < 0.5 ? -1 : 1;
    return (x, y) => {
      const wobble = 0.35 * valueNoise(x * 0.4, y * 0.4, seed);
      const radius = length(x - cx, y - cy) * 0.95;
      const angle = Math.atan2(y - cy, x - cx) / (2 * Math.PI);
      return edge(0.24 - centred(radius + turn * angle + wobble), pixel);
    };
  },
  honeycombed: (random, pixel) => {
    const half = random.between(0.07, 0.11);
    const scale = random.between(0.62, 0.75);
    return (x, y) => edge(half - hexagonEdge(x * scale, y * scale), pixel * scale);
  },
};

/** How far a number is from the nearest integer, 0 to 0.5. */
function centred(x: number): number {
  return 0.5 - Math.abs(fraction(x) - 0.5);
}

/** The distance of a point to the nearest edge of a honeycomb of unit width. */
function hexagonEdge(x: number, y: number): number {
  const height = Math.sqrt(3);
  const ax = x - Math.floor(x) - 0.5;
  const ay = y - Math.floor(y / height) * height - height / 2;
  const bx = fraction(x + 0.5) - 0.5;
  const by = fraction(y / height + 0.5) * height - height / 2;
  const first = ax * ax + ay * ay < bx * bx + by * by;
  const hx = Math.abs(first ? ax : bx);
  const hy = Math.abs(first ? ay : by);
  return 0.5 - Math.max(hx, hx * 0.5 + hy * height / 2);
}

/** An antialiased step: 0 outside, 1 inside, over the width of a pixel. */
function edge(distance: number, pixel: number): number {
  return unit(0.5 + distance / pixel);
}
