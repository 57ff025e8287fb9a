import { type Tensor, tensor, zeros } from "../../lib/tensor/mod.ts";

/**
 * Weights and pixels as a formula of (name, index), equal to tools/parity/formula.py bit by bit:
 * offset + factor * u, where u is hashed from name and index, in [-1, 1), a multiple of 2^-23.
 */
export function formula(
  name: string,
  { size, offset = 0, factor }: { size: number; offset?: number; factor: number },
): Float32Array {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let x = (Math.imul(i, 0x9e3779b9) + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    values[i] = offset + factor * (((x ^ (x >>> 16)) >>> 8) / 2 ** 23 - 1);
  }
  return values;
}

/** A parameter of a scale at which activations neither vanish nor explode. */
export function formulaParameter(name: string, shape: readonly number[]): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const scale = name.endsWith("running_var")
    ? { offset: 1, factor: 1 / 2 }
    : !name.endsWith("weight")
    ? { factor: 1 / 4 }
    : shape.length === 1
    ? { offset: 1, factor: 1 / 4 }
    : { factor: Math.sqrt(6 / (size / shape[0]!)) };
  return tensor(shape, formula(name, { size, ...scale }));
}

/** The formula weights of parameters. */
export function formulaWeights(
  parameters: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, Tensor> {
  return new Map([...parameters].map(([key, shape]) => [key, formulaParameter(key, shape)]));
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
