import { type Random, row } from "../tensor/mod.ts";
import { startStream, startVectors } from "./_shots.ts";

/** The direction from which descent to a concept's CAV of a seed starts: [dim], unit length. */
export function startDirection(
  concept: string,
  { seed, dim, random }: {
    readonly seed: number;
    readonly dim: number;
    /** What training was given. */
    readonly random: Random;
  },
): Float32Array {
  const seeds = [seed];
  return row(startVectors({ seeds, dim, length: 1 }, startStream(random, concept)), 0);
}
