import type { Random } from "../tensor/mod.ts";
import { valueNoise } from "./_noise.ts";

/** By how much of half the frame a point is moved at most, at full variety. */
const reach = 0.35;
/** How many waves of the bend fit half the frame. */
const waves = 1.5;
/** By how much of itself a channel is brighter or darker at most, at full variety. */
const tint = 0.4;

/**
 * What makes images of one concept differ from each other: a smooth bend of all that they show, so
 * that no two stars have the same outline and no two stripes are parallel, and a tint of the light.
 *
 * @param variety 0 changes nothing, 1 most.
 */
export function varietyOf(variety: number, random: Random): {
  /** Moves a point of the frame in place. */
  readonly bend: (point: { x: number; y: number }) => void;
  /** Factors of the three channels. */
  readonly gains: readonly [number, number, number];
} {
  if (variety === 0) return { bend: () => {}, gains: [1, 1, 1] };
  const [right, down] = [random.split("right").bits(), random.split("down").bits()];
  const moved = (x: number, y: number, seed: number) =>
    2 * variety * reach * (valueNoise(waves * x, waves * y, seed) - 0.5);
  const light = random.split("tint");
  const gain = () => 1 + variety * light.between(-tint, tint);
  return {
    bend: (point) => {
      const { x, y } = point;
      point.x = x + moved(x, y, right);
      point.y = y + moved(x, y, down);
    },
    gains: [gain(), gain(), gain()],
  };
}
