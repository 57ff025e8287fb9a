import type { Random } from "../tensor/mod.ts";

/** What each channel of a wholly shifted image keeps: it is darker, and warm. */
const kept = [0.6, 0.5, 0.35];
/** The side of the square over which a wholly shifted image is averaged, as a share of the frame. */
const blur = 1 / 13;
/** The width of the noise of a wholly shifted image, of 255. */
const grain = 60;

/**
 * Makes an image one of another kind, as of another camera at dusk: its pixels are mixed with those
 * of the image darkened, tinted and blurred, and get noise.
 *
 * @param data red, green, blue, row by row; changed in place.
 * @param options.shift the weight of the other kind, from 0 to 1.
 */
export function shiftImage(
  data: Uint8Array,
  { size, shift, random }: {
    readonly size: number;
    readonly shift: number;
    readonly random: Random;
  },
): void {
  const radius = Math.round(blur * size / 2);
  const blurred = averaged(averaged(data, { size, radius, step: 3 }), {
    size,
    radius,
    step: 3 * size,
  });
  for (let i = 0; i < data.length; i++) {
    const other = kept[i % 3]! * blurred[i]! + grain * (random.uniform() - 0.5);
    data[i] = Math.max(0, Math.min(255, Math.round((1 - shift) * data[i]! + shift * other)));
  }
}

/** Each value's mean over its neighbours within a radius, `step` values apart, within the frame. */
function averaged(
  data: ArrayLike<number>,
  { size, radius, step }: {
    readonly size: number;
    readonly radius: number;
    readonly step: number;
  },
): Float64Array {
  const result = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / step) % size;
    let [sum, count] = [0, 0];
    for (let k = -Math.min(radius, at); k <= Math.min(radius, size - 1 - at); k++) {
      sum += data[i + k * step]!;
      count++;
    }
    result[i] = sum / count;
  }
  return result;
}
