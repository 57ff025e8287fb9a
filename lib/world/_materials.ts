import type { Random } from "../tensor/mod.ts";
import type { Material } from "./factors.ts";
import { type Cell, fraction, latticeNoise, unit, valueNoise, voronoi } from "./_noise.ts";

/**
 * Changes the colour (red, green, blue, opacity; 0 to 1) of a point as a material does. `depth` is
 * the distance to the outline, infinite on a surface that fills the frame. Lengths are half frames.
 */
export type Finish = (point: { x: number; y: number; depth: number }, colour: Float64Array) => void;

/** The materials of the world. */
export const materialModel: Readonly<Record<Material, (random: Random) => Finish>> = {
  metal: (random) => {
    const seed = random.bits() | 0;
    const phase = random.between(0, 6);
    const pace = random.between(5, 8);
    return ({ x, y }, colour) => {
      const band = 0.5 + 0.5 * Math.sin(y * pace + phase + 0.6 * Math.sin(x * 1.7));
      const brushed = 0.16 * (latticeNoise(0, Math.floor(y * 48), seed) - 0.5);
      const shine = 0.85 * band ** 5;
      scale(colour, 0.35 + 0.6 * band + brushed);
      for (let c = 0; c < 3; c++) colour[c] = colour[c]! + (1 - colour[c]!) * shine;
    };
  },
  wood: (random) => {
    const seed = random.bits() | 0;
    const rings = random.between(3.2, 4.6);
    return ({ x, y }, colour) => {
      const ring = fraction(y * rings + 1.8 * valueNoise(x * 1.3, y * 2.5, seed));
      const grain = valueNoise(x * 5, y * 40, seed + 7);
      scale(colour, (0.5 + 0.55 * ring) * (0.78 + 0.36 * grain));
    };
  },
  fabric: (random) => {
    const seed = random.bits() | 0;
    const pace = 2 * Math.PI / random.between(0.12, 0.15);
    return ({ x, y }, colour) => {
      const thread = Math.sin(x * pace) * Math.sin(y * pace);
      const fold = valueNoise(x * 1.6 + y * 1.2, (y - x) * 0.3, seed);
      scale(colour, 0.58 + 0.3 * thread + 0.55 * fold);
    };
  },
  glass: (random) => {
    const pace = random.between(0.9, 1.3);
    const phase = random.uniform();
    return ({ x, y, depth }, colour) => {
      const rim = 1 - unit(depth / 0.12);
      const stripe = fraction((x + y) * pace + phase);
      const gleam = stripe < 0.13 || (stripe > 0.19 && stripe < 0.24) ? 0.75 : 0;
      const light = Math.max(gleam, 0.35 * rim);
      for (let c = 0; c < 3; c++) colour[c] = colour[c]! + (1 - colour[c]!) * light;
      colour[3] = Math.max(0.6, light, 0.9 * rim);
    };
  },
  stone: (random) => {
    const seed = random.bits() | 0;
    return ({ x, y }, colour) => {
      const grey = (colour[0]! + colour[1]! + colour[2]!) / 3;
      const speckle = latticeNoise(Math.floor(x * 26), Math.floor(y * 26), seed);
      const patch = valueNoise(x * 4, y * 4, seed + 3);
      const light = 0.55 + 0.45 * patch + (speckle > 0.8 ? 0.35 : speckle < 0.22 ? -0.38 : 0);
      for (let c = 0; c < 3; c++) colour[c] = (colour[c]! * 0.7 + grey * 0.3) * light;
    };
  },
  paper: (random) => {
    const seed = random.bits() | 0;
    const cell: Cell = { nearest: 0, second: 0, noise: 0 };
    return ({ x, y }, colour) => {
      voronoi(x * 3, y * 3, { seed, cell });
      const crease = cell.second - cell.nearest < 0.08 ? 0.16 : 0;
      scale(colour, 0.5 + 0.65 * cell.noise + crease);
    };
  },
};

function scale(colour: Float64Array, factor: number): void {
  for (let c = 0; c < 3; c++) colour[c] = colour[c]! * factor;
}
