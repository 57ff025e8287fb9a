import { createRandom, range } from "../../tensor/mod.ts";

/** The images that no CAV of a bundle sees, as positions among all, ascending. */
export function heldOutImages(images: number, share: number): number[] {
  const count = Math.max(1, Math.round(share * images));
  return createRandom("held out").shuffle(range(0, images)).slice(0, count).sort((a, b) => a - b);
}
