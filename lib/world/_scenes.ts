import type { Random } from "../tensor/mod.ts";
import { hsl, mix, type Rgb } from "./_colours.ts";
import type { Scene } from "./factors.ts";
import { fraction, latticeNoise, length, unit, valueNoise } from "./_noise.ts";

/** The colour of a background at a point of the frame: x to the right, y down, both -1 to 1. */
export type Background = (x: number, y: number, colour: Float64Array) => void;

/** The scenes of the world. */
const sceneModel: Readonly<Record<Scene, (random: Random) => Background>> = {
  beach: (random) => {
    const seed = random.bits() | 0;
    const sky = hsl(random.between(195, 210), 0.7, random.between(0.7, 0.82));
    const sea = hsl(random.between(178, 195), 0.7, random.between(0.4, 0.5));
    const sand = hsl(random.between(38, 48), 0.6, random.between(0.68, 0.8));
    const horizon = random.between(-0.5, -0.1);
    const shore = horizon + random.between(0.3, 0.6);
    return (x, y, colour) => {
      const wave = shore + 0.16 * (valueNoise(x * 2.2, 0, seed) - 0.5);
      if (y < horizon) put(colour, sky, 1 - 0.15 * (y - horizon));
      else if (y < wave - 0.06) put(colour, sea, 0.85 + 0.3 * valueNoise(x * 3, y * 14, seed));
      else if (y < wave) put(colour, [0.97, 0.98, 0.98], 1);
      else {put(
          colour,
          sand,
          0.9 + 0.2 * latticeNoise(Math.round(x * 32), Math.round(y * 32), seed),
        );}
    };
  },
  forest: (random) => {
    const seed = random.bits() | 0;
    const leaf = hsl(random.between(90, 130), 0.45, random.between(0.22, 0.32));
    const bark = hsl(random.between(18, 30), 0.35, random.between(0.13, 0.2));
    const ground = hsl(random.between(40, 80), 0.35, random.between(0.2, 0.28));
    const trunks = random.between(2.2, 3.4);
    const phase = random.between(0, 100);
    return (x, y, colour) => {
      const at = x * trunks + phase + 0.08 * y;
      const tree = Math.floor(at);
      const width = 0.12 + 0.16 * latticeNoise(tree, 1, seed);
      const foot = 0.45 + 0.35 * latticeNoise(tree, 2, seed);
      const trunk = Math.abs(fraction(at) - 0.5) < width && y < foot;
      if (trunk) put(colour, bark, 0.7 + 0.7 * valueNoise(x * 22, y * 3, seed));
      else if (y > 0.5) put(colour, ground, 0.6 + 0.8 * valueNoise(x * 9, y * 9, seed));
      else put(colour, leaf, 0.35 + 1.4 * valueNoise(x * 7, y * 7, seed));
    };
  },
  desert: (random) => {
    const seed = random.bits() | 0;
    const sky = hsl(random.between(28, 42), 0.75, random.between(0.76, 0.86));
    const sand = hsl(random.between(22, 32), 0.65, random.between(0.5, 0.6));
    const horizon = random.between(-0.4, 0);
    const pace = random.between(0.7, 1.1);
    return (x, y, colour) => {
      const far = horizon + 0.35 * (valueNoise(x * pace, 3, seed) - 0.5);
      const near = horizon + 0.5 + 0.6 * (valueNoise(x * pace + 9, 5, seed) - 0.5);
      if (y < far) put(colour, sky, 1 + 0.15 * y);
      else if (y < near) put(colour, sand, 1.12 - 0.5 * (y - far));
      else put(colour, sand, 0.72 + 0.14 * Math.sin(26 * (y - near) + 2 * x));
    };
  },
  ocean: (random) => {
    const seed = random.bits() | 0;
    const deep = hsl(random.between(205, 222), 0.75, random.between(0.2, 0.3));
    const foam = hsl(200, 0.5, 0.85);
    const horizon = random.between(-0.9, -0.6);
    const sky = hsl(random.between(195, 215), 0.35, random.between(0.72, 0.85));
    return (x, y, colour) => {
      if (y < horizon) return put(colour, sky, 1);
      const swell = valueNoise(x * 2.5 + 0.8 * y, y * 6, seed) * 0.65 +
        valueNoise(x * 7, y * 15, seed + 5) * 0.35;
      const share = unit((swell - 0.62) * 5);
      put(colour, mix(deep, foam, share * 0.75), 0.7 + 0.7 * swell);
    };
  },
  snowfield: (random) => {
    const seed = random.bits() | 0;
    const sky = hsl(random.between(205, 225), 0.3, random.between(0.62, 0.75));
    const snow = hsl(random.between(205, 225), 0.25, random.between(0.88, 0.94));
    const horizon = random.between(-0.35, 0.05);
    const trees = random.between(3, 4.5);
    const phase = random.between(0, 100);
    return (x, y, colour) => {
      const at = x * trees + phase;
      const height = 0.3 + 0.4 * latticeNoise(Math.floor(at), 1, seed);
      const above = horizon - y;
      const fir = above > -0.03 && above < height &&
        Math.abs(fraction(at) - 0.5) < 0.42 * (1 - above / height) *
            (0.65 + 0.35 * fraction(above * 9));
      if (fir) put(colour, [0.09, 0.2, 0.17], 1);
      else if (above > 0) put(colour, sky, 1 + 0.12 * above);
      else put(colour, snow, 0.88 + 0.14 * valueNoise(x * 1.6, y * 4, seed));
    };
  },
  street: (random) => {
    const seed = random.bits() | 0;
    const sky = hsl(random.between(200, 220), 0.25, random.between(0.66, 0.8));
    const road = hsl(230, 0.06, random.between(0.24, 0.34));
    const kerb = random.between(0.3, 0.5);
    const blocks = random.between(1.5, 2.2);
    const phase = random.between(0, 100);
    return (x, y, colour) => {
      if (y > kerb) {
        const lane = Math.abs(y - kerb - 0.3) < 0.035 && fraction(x * 1.6 + phase) < 0.55;
        return lane ? put(colour, [0.95, 0.9, 0.7], 1) : put(colour, road, 1);
      }
      const at = x * blocks + phase;
      const block = Math.floor(at);
      const roof = -0.95 + 0.75 * latticeNoise(block, 1, seed);
      if (y < roof) return put(colour, sky, 1);
      const wall = hsl(
        10 + 25 * latticeNoise(block, 2, seed),
        0.22,
        0.34 +
          0.22 * latticeNoise(block, 3, seed),
      );
      const window = fraction(fraction(at) * 3 + 0.2) < 0.5 && fraction((y - roof) * 4) > 0.45;
      if (!window) return put(colour, wall, 1);
      const lit = latticeNoise(
        Math.floor(fraction(at) * 3 + 0.2) + 9 * block,
        Math.floor((y - roof) * 4),
        seed,
      );
      put(colour, lit > 0.55 ? [0.98, 0.87, 0.5] : [0.2, 0.25, 0.33], 1);
    };
  },
  kitchen: (random) => {
    const tile = hsl(random.between(40, 60), 0.25, random.between(0.8, 0.9));
    const grout = mix(tile, [0.5, 0.5, 0.48], 0.6);
    const wood = hsl(random.between(18, 34), 0.5, random.between(0.34, 0.45));
    const worktop = hsl(random.between(0, 360), 0.08, random.between(0.2, 0.3));
    const top = random.between(0.25, 0.45);
    const tiles = random.between(2.6, 3.6);
    const doors = random.between(1.2, 1.6);
    const phase = random.uniform();
    return (x, y, colour) => {
      if (y < top) {
        const line = Math.min(fraction(x * tiles + phase), fraction((y - top) * tiles)) < 0.13;
        return put(colour, line ? grout : tile, 1);
      }
      if (y < top + 0.12) return put(colour, worktop, 1);
      const door = fraction(x * doors + phase);
      if (door < 0.05) return put(colour, wood, 0.5);
      const knob = Math.abs(door - 0.15) < 0.05 && Math.abs(y - top - 0.28) < 0.06;
      put(colour, knob ? [0.85, 0.85, 0.82] : wood, knob ? 1 : 0.9 + 0.2 * Math.abs(door - 0.5));
    };
  },
  "night sky": (random) => {
    const seed = random.bits() | 0;
    const dark = hsl(random.between(225, 260), 0.6, random.between(0.07, 0.13));
    const glow = hsl(random.between(240, 300), 0.5, random.between(0.22, 0.32));
    const moon = [random.between(-0.8, 0.8), random.between(-0.8, -0.4)] as const;
    return (x, y, colour) => {
      const cloud = valueNoise(x * 1.5 + y, y * 1.5 - x, seed);
      put(colour, mix(dark, glow, unit(1.6 * cloud - 0.6)), 1);
      const star = latticeNoise(Math.round(x * 24), Math.round(y * 24), seed + 1);
      if (star > 0.965) put(colour, [0.95, 0.95, 0.85], 0.6 + 11 * (star - 0.965));
      if (length(x - moon[0], y - moon[1]) < 0.17) put(colour, [0.97, 0.95, 0.82], 1);
    };
  },
};

/** Draws a background: a scene nearer or farther, higher or lower, in some light, or a backdrop. */
export function backgroundOf(scene: Scene | null, random: Random): Background {
  if (scene === null) return backdrop(random);
  const background = sceneModel[scene](random.split("scene"));
  const zoom = random.between(0.65, 1.25);
  const down = random.between(-0.25, 0.25);
  const gain = random.between(0.72, 1.12);
  const warmth = random.between(-0.12, 0.12);
  return (x, y, colour) => {
    background(x * zoom, y * zoom + down, colour);
    colour[0] = colour[0]! * gain * (1 + warmth);
    colour[1] = colour[1]! * gain;
    colour[2] = colour[2]! * gain * (1 - warmth);
  };
}

/** A background that shows no scene: a soft gradient between two muted colours. */
function backdrop(random: Random): Background {
  const seed = random.bits() | 0;
  const muted = () =>
    hsl(random.between(0, 360), random.between(0, 0.2), random.between(0.25, 0.8));
  const first = muted();
  const second = muted();
  const angle = random.between(0, 2 * Math.PI);
  const dx = Math.cos(angle) / 2.6;
  const dy = Math.sin(angle) / 2.6;
  return (x, y, colour) =>
    put(
      colour,
      mix(first, second, unit(0.5 + x * dx + y * dy)),
      0.9 +
        0.2 * valueNoise(x * 2, y * 2, seed),
    );
}

function put(colour: Float64Array, rgb: Rgb, light: number): void {
  colour[0] = rgb[0] * light;
  colour[1] = rgb[1] * light;
  colour[2] = rgb[2] * light;
}
