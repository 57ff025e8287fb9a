import { type Tensor, tensor, zeros } from "../../lib/tensor/mod.ts";

/**
 * Weights and pixels as a formula of (name, index), equal to tools/parity/formula.py bit by bit:
 * offset + factor * u, where u is hashed from name and index, in [-1, 1), a multiple of 2^-23. The
 * first index is `start`.
 */
export function formula(
  name: string,
  { size, start = 0, offset = 0, factor }: {
    size: number;
    start?: number;
    offset?: number;
    factor: number;
  },
): Float32Array {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let x = (Math.imul(start + i, 0x9e3779b9) + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    values[i] = offset + factor * (((x ^ (x >>> 16)) >>> 8) / 2 ** 23 - 1);
  }
  return values;
}

/** A parameter of a scale at which activations neither vanish nor explode. */
export function formulaParameter(name: string, shape: readonly number[]): Tensor {
  return tensor(shape, formula(name, { size: product(shape), ...scaleOf(name, shape) }));
}

/** Channels that were drawn again, by module path: how often (tools/parity/kinks.py). */
export type Draws = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The formula weights of parameters, but for the rows of `draws`, which are those of a later draw. */
export function formulaWeights(
  parameters: ReadonlyMap<string, readonly number[]>,
  draws: Draws = {},
): ReadonlyMap<string, Tensor> {
  const weights = new Map(
    [...parameters].map(([key, shape]) => [key, formulaParameter(key, shape)]),
  );
  for (const [key, { shape, data }] of weights) {
    const size = product(shape.slice(1));
    const counts = draws[key.slice(0, key.lastIndexOf("."))] ?? {};
    for (const [row, draw] of Object.entries(counts)) {
      const start = Number(row) * size;
      data.set(formula(`${key}#${draw}`, { size, start, ...scaleOf(key, shape) }), start);
    }
  }
  return weights;
}

/** In what interval the numbers of a parameter are. */
function scaleOf(name: string, shape: readonly number[]): { offset?: number; factor: number } {
  if (name.endsWith("running_var")) return { offset: 1, factor: 1 / 2 };
  if (!name.endsWith("weight")) return { factor: 1 / 4 };
  if (shape.length === 1) return { offset: 1, factor: 1 / 4 };
  return { factor: Math.sqrt(6 / product(shape.slice(1))) };
}

function product(extents: readonly number[]): number {
  return extents.reduce((size, extent) => size * extent, 1);
}

/** Preprocessed images of noise. */
export function formulaPixels(size: number): Float32Array {
  return formula("pixels", { size, factor: 2 });
}

/** A row for each image, one at its class and zero elsewhere. */
export function oneHot(classes: readonly number[], width: number): Tensor {
  const rows = zeros([classes.length, width]);
  classes.forEach((index, row) => rows.data[row * width + index] = 1);
  return rows;
}
