import type { Tensor } from "../tensor/mod.ts";

/**
 * The length of each row of a [rows, width] matrix. Four sums run at a time, because an addition
 * takes longer than the next multiplication waits.
 */
export function rowLengths({ shape, data }: Tensor): Float64Array {
  const [rows = 0, width = 0] = shape;
  const lengths = new Float64Array(rows);
  const whole = width - width % 4;
  for (let i = 0, at = 0; i < rows; i++, at += width) {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let j = at; j < at + whole; j += 4) {
      a += data[j]! * data[j]!;
      b += data[j + 1]! * data[j + 1]!;
      c += data[j + 2]! * data[j + 2]!;
      d += data[j + 3]! * data[j + 3]!;
    }
    for (let j = at + whole; j < at + width; j++) a += data[j]! * data[j]!;
    lengths[i] = Math.sqrt(a + b + (c + d));
  }
  return lengths;
}

/** Divides each row by its length, in place; a zero row stays zero. */
export function divideByLengths(matrix: Tensor): void {
  const { shape: [rows = 0, width = 0], data } = matrix;
  const lengths = rowLengths(matrix);
  for (let i = 0, at = 0; i < rows; i++, at += width) {
    const factor = lengths[i] === 0 ? 0 : 1 / lengths[i]!;
    for (let j = at; j < at + width; j++) data[j]! *= factor;
  }
}
