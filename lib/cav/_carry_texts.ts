import type { Method } from "../config/mod.ts";
import { normaliseRows, range, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { centreRows } from "./_centre_rows.ts";
import { solvePositiveDefinite, tileBounds, type Tiles } from "./_positive_definite.ts";
import type { CavEngine } from "./engine.ts";
import type { FeatureRows } from "../activations/mod.ts";

/** What carries texts from the VL model's space to the target's. */
export interface CarryOptions {
  readonly features: FeatureRows;
  readonly vlFeatures: FeatureRows;
  /** The images to fit the map on. */
  readonly rows: readonly number[];
  readonly map: Method<"text_to_concept">["hyperparameters"]["map"];
  readonly ridge: number;
  readonly engine: CavEngine;
}

/**
 * A direction of the target's space for each text feature t, by the affine map with the least
 * squared error and a ridge penalty, in one of two readings. With centred X [images, dim] of the
 * target and Y [images, vl] of the VL model's unit features, whose mean was z:
 *
 * "target to VL", as the original work maps: W f(x) + b is near the VL feature, and an image has the
 * concept as far as cosine(W f(x) + b, t) is high. Its gradient at the mean image, where the map
 * gives z, is W' s up to its length, with s = t - z (z . t)/(z . z): the cosine does not rise along z.
 * With r the penalty times the mean of the diagonal of X'X/n
 *
 *     W' s = (X'X/n + r I)^-1 X'Y s/n  =  X' (X X'/n + r I)^-1 Y s/n
 *
 * The smaller of the two systems is solved: X is read whole where it is no longer than wide, in
 * blocks of rows else.
 *
 * "VL to target", in the words of LG-CAV's Appendix C.3.1: M g(x) + m is near the target's feature,
 * and the vector is M t. With r the penalty times the mean of the diagonal of Y'Y/n
 *
 *     M t = X'Y (Y'Y/n + r I)^-1 t/n
 *
 * @returns [texts, dim]
 */
export async function carryTexts(
  texts: readonly Float32Array[],
  { features, vlFeatures, rows, map, ridge, engine }: CarryOptions,
): Promise<Tensor> {
  const unit = centreRows(normaliseRows(await vlFeatures.take(rows)));
  const y = unit.deviations;
  const dim = features.shape[1];
  if (map === "VL to target") {
    return await carryForward(texts, {
      features: await centred(features, rows),
      y,
      ridge,
      engine,
    });
  }
  const turned = texts.map((text) => withoutPart(text, unit.centre));
  return dim > rows.length
    ? await carryByImages(turned, { features: await centred(features, rows), y, ridge, engine })
    : await carryByFeatures(turned, {
      x: centreRows(await features.take(rows)).deviations,
      y,
      ridge,
      engine,
    });
}

/** A text less its part along z. */
function withoutPart(text: Float32Array, z: Float64Array): Float32Array {
  let [along, square] = [0, 0];
  for (let i = 0; i < z.length; i++) {
    along += text[i]! * z[i]!;
    square += z[i]! ** 2;
  }
  return square === 0 ? text : text.map((x, i) => x - z[i]! * along / square);
}

/** X'Y (Y'Y/n + r I)^-1 t/n, with X in blocks. */
async function carryForward(
  texts: readonly Float32Array[],
  { features, y, ridge, engine }: {
    readonly features: FeatureRows;
    readonly y: Tensor;
    readonly ridge: number;
    readonly engine: CavEngine;
  },
): Promise<Tensor> {
  const [images = 0, width = 0] = y.shape;
  const take = (from: number, to: number) => Promise.resolve(columnsOf(y, { from, to }));
  const tiles = await gramTiles(take, { size: width, engine });
  penalise(tiles, { images, dim: width, ridge });
  const solved = Float64Array.from(texts.flatMap((text) => [...text]));
  await solvePositiveDefinite(tiles, solved, { size: width });
  const ofTexts = texts.map((_, i) =>
    Float32Array.from(solved.subarray(i * width, (i + 1) * width))
  );
  const scores = await textScores(ofTexts, { y, engine });
  return await sumOfImages(scores.data, { features, texts: texts.length, engine });
}

/** (X'X/n + r I)^-1 X'Y t/n. */
export async function carryByFeatures(
  texts: readonly Float32Array[],
  { x, y, ridge, engine }: {
    readonly x: Tensor;
    readonly y: Tensor;
    readonly ridge: number;
    readonly engine: CavEngine;
  },
): Promise<Tensor> {
  const [images = 0, dim = 0] = x.shape;
  const scores = await textScores(texts, { y, engine });
  const right = new Float64Array(
    (await engine.product(scores, x, { transpose: "neither" })).data,
  );
  const take = (from: number, to: number) => Promise.resolve(columnsOf(x, { from, to }));
  const tiles = await gramTiles(take, { size: dim, engine });
  penalise(tiles, { images, dim, ridge });
  await solvePositiveDefinite(tiles, right, { size: dim });
  return tensor([texts.length, dim], Float32Array.from(right));
}

/** X' (X X'/n + r I)^-1 Y t/n, with X in blocks. */
export async function carryByImages(
  texts: readonly Float32Array[],
  { features, y, ridge, engine }: {
    readonly features: FeatureRows;
    readonly y: Tensor;
    readonly ridge: number;
    readonly engine: CavEngine;
  },
): Promise<Tensor> {
  const [images, dim] = features.shape;
  const take = (from: number, to: number) => features.take(range(from, to));
  const tiles = await gramTiles(take, { size: images, engine });
  penalise(tiles, { images, dim, ridge });
  const weights = new Float64Array((await textScores(texts, { y, engine })).data);
  await solvePositiveDefinite(tiles, weights, { size: images });
  return await sumOfImages(weights, { features, texts: texts.length, engine });
}

/** The sum of the images for each text, by its weights of them: [texts, images] to [texts, dim]. */
async function sumOfImages(
  weights: Float64Array | Float32Array,
  { features, texts, engine }: {
    readonly features: FeatureRows;
    readonly texts: number;
    readonly engine: CavEngine;
  },
): Promise<Tensor> {
  const [images, dim] = features.shape;
  const carried = zeros([texts, dim]);
  for (const [from, to] of tileBounds(images)) {
    const ofBlock = zeros([to - from, texts]);
    for (let i = from; i < to; i++) {
      for (let c = 0; c < texts; c++) {
        ofBlock.data[(i - from) * texts + c] = weights[c * images + i]!;
      }
    }
    const block = await features.take(range(from, to));
    const part = await engine.product(ofBlock, block, { transpose: "first" });
    part.data.forEach((value, i) => carried.data[i]! += value);
  }
  return carried;
}

/** Y t/n of each text, [texts, images]. */
function textScores(
  texts: readonly Float32Array[],
  { y, engine }: { readonly y: Tensor; readonly engine: CavEngine },
): Promise<Tensor> {
  const [images = 0, width = 0] = y.shape;
  const scaled = zeros([texts.length, width]);
  texts.forEach((text, i) => row(scaled, i).set(text.map((x) => x / images)));
  return engine.product(scaled, y);
}

/** Bytes of features that stay in memory while others are multiplied with them. */
const heldBytes = 2 ** 29;

/** The products of rows with each other, on and below the diagonal, with few readings of a row. */
async function gramTiles(
  take: (from: number, to: number) => Promise<Tensor>,
  { size, engine }: { readonly size: number; readonly engine: CavEngine },
): Promise<Tiles> {
  const bounds = tileBounds(size);
  const tiles: Float64Array[][] = bounds.map(() => []);
  for (let first = 0; first < bounds.length;) {
    const held: Tensor[] = [];
    let bytes = 0;
    while (first + held.length < bounds.length && (held.length === 0 || bytes < heldBytes)) {
      held.push(await take(...bounds[first + held.length]!));
      bytes += held.at(-1)!.data.byteLength;
    }
    for (let j = 0; j < first + held.length; j++) {
      const other = held[j - first] ?? await take(...bounds[j]!);
      for (let i = Math.max(first, j); i < first + held.length; i++) {
        const { data } = await engine.product(held[i - first]!, other);
        tiles[i]![j] = Float64Array.from(data);
      }
    }
    first += held.length;
  }
  return tiles;
}

/** From products to the matrix of the system: divided by the images, with the penalty added. */
function penalise(
  tiles: Tiles,
  { images, dim, ridge }: {
    readonly images: number;
    readonly dim: number;
    readonly ridge: number;
  },
): void {
  const diagonals = tiles.map((tilesOfRow) => tilesOfRow.at(-1)!);
  let trace = 0;
  for (const tile of diagonals) {
    const size = Math.sqrt(tile.length);
    for (let i = 0; i < size; i++) trace += tile[i * size + i]!;
  }
  for (const tile of tiles.flat()) for (let i = 0; i < tile.length; i++) tile[i]! /= images;
  for (const tile of diagonals) {
    const size = Math.sqrt(tile.length);
    for (let i = 0; i < size; i++) tile[i * size + i]! += ridge * trace / images / dim;
  }
}

/** Some rows of the features, minus their mean. */
async function centred(features: FeatureRows, rows: readonly number[]): Promise<FeatureRows> {
  const dim = features.shape[1];
  const mean = new Float64Array(dim);
  for (const [from, to] of tileBounds(rows.length)) {
    const { data } = await features.take(rows.slice(from, to));
    for (let at = 0; at < data.length; at += dim) {
      for (let j = 0; j < dim; j++) mean[j]! += data[at + j]! / rows.length;
    }
  }
  return {
    shape: [rows.length, dim],
    async take(indices) {
      const block = await features.take(Array.from(indices, (index) => rows[index]!));
      for (let at = 0; at < block.data.length; at += dim) {
        for (let j = 0; j < dim; j++) block.data[at + j]! -= mean[j]!;
      }
      return block;
    },
  };
}

/** Columns from .. to of a matrix, as rows. */
function columnsOf(
  matrix: Tensor,
  { from, to }: { readonly from: number; readonly to: number },
): Tensor {
  const [rows = 0, width = 0] = matrix.shape;
  const columns = zeros([to - from, rows]);
  for (let i = 0; i < rows; i++) {
    for (let j = from; j < to; j++) {
      columns.data[(j - from) * rows + i] = matrix.data[i * width + j]!;
    }
  }
  return columns;
}
