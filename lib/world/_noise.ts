/** A fixed pseudo-random number in [0, 1) of a lattice point. */
export function latticeNoise(x: number, y: number, seed: number): number {
  let hash = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ seed;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

/** Smooth value noise in [0, 1) with a period of one lattice step. */
export function valueNoise(x: number, y: number, seed: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const fx = x - left;
  const fy = y - top;
  const sx = fx * fx * (3 - 2 * fx);
  const sy = fy * fy * (3 - 2 * fy);
  const a = latticeNoise(left, top, seed);
  const b = latticeNoise(left + 1, top, seed);
  const c = latticeNoise(left, top + 1, seed);
  const d = latticeNoise(left + 1, top + 1, seed);
  return a + (b - a) * sx + (c - a + (a - b - c + d) * sx) * sy;
}

/** The cell of a jittered Voronoi diagram that holds a point. */
export interface Cell {
  /** Distance to the cell's seed, and to the second nearest. */
  nearest: number;
  second: number;
  /** A pseudo-random number of the cell in [0, 1). */
  noise: number;
}

/** Finds the Voronoi cell of a point and writes it into `cell`. */
export function voronoi(x: number, y: number, options: { seed: number; cell: Cell }): void {
  const { seed, cell } = options;
  const left = Math.floor(x);
  const top = Math.floor(y);
  let first = 9;
  let second = 9;
  for (let j = top - 1; j <= top + 1; j++) {
    for (let i = left - 1; i <= left + 1; i++) {
      const dx = i + 0.15 + 0.7 * latticeNoise(i, j, seed) - x;
      const dy = j + 0.15 + 0.7 * latticeNoise(i, j, seed + 1) - y;
      const square = dx * dx + dy * dy;
      if (square < first) {
        second = first;
        first = square;
        cell.noise = latticeNoise(i, j, seed + 2);
      } else if (square < second) second = square;
    }
  }
  cell.nearest = Math.sqrt(first);
  cell.second = Math.sqrt(second);
}

/** The length of a vector (Math.hypot guards against overflow and is far slower). */
export function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

/** The part of a number after its floor, in [0, 1). */
export function fraction(x: number): number {
  return x - Math.floor(x);
}

/** A number held within [0, 1]. */
export function unit(x: number): number {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}
