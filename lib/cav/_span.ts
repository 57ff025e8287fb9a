import { row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type { CavEngine, ColumnProblem, Columns, Descent } from "./engine.ts";

/** How many times longer than there are images a feature is where the span starts to pay. */
const breakEven = 6;

/**
 * Whether vectors train in the span of their images: where features are much longer than there are
 * images. A step there costs as if features were as long as there are images; but before it come the
 * products of all probes, of which Gaussian alignment alone has a use too. The choice rests on
 * shapes alone, so bytes do not depend on what else is trained.
 */
export function trainsInSpan(
  { dim, images }: { readonly dim: number; readonly images: number },
): boolean {
  return dim > breakEven * images;
}

/**
 * Gradient descent in the span of a group's images and its start: gradients are sums of images, so
 * a vector never leaves it, and all that the losses know of features is their inner products. The
 * basis of a group is its probes, its labelled images and its start. Equal to the direct descent but
 * for rounding.
 */
export async function minimiseInSpan(
  problem: ColumnProblem,
  { engine, descent, probeGram }: {
    readonly engine: CavEngine;
    readonly descent: Descent;
    readonly probeGram?: Tensor | undefined;
  },
): Promise<Columns> {
  const { labelled, probes, columns } = problem;
  const shared = probes && tensor(probes.features.shape.slice(1), probes.features.data);
  const own = ownRows(problem);
  const grams = await basisGrams(shared, own, { engine, probeGram });
  const [groups = 0, basis = 0] = grams.shape;
  const probeCount = basis - own.shape[1]!;
  const trained = await engine.minimise({
    start: tensor([groups, basis], rowsOf(grams, { from: basis - 1, to: basis }).data),
    columns,
    labelled: labelled &&
      { ...labelled, features: rowsOf(grams, { from: probeCount, to: basis - 1 }) },
    probes: probes && { ...probes, features: rowsOf(grams, { from: 0, to: probeCount }) },
    inSpan: true,
  }, descent);
  const vectors = await combine(trained.vectors, { shared, own, engine });
  return { vectors, biases: trained.biases };
}

/**
 * The inner products of rows with each other, [rows, rows], by blocks on one side of the diagonal.
 *
 * @param rows [rows, dim]
 */
export async function gramOf(rows: Tensor, engine: CavEngine): Promise<Tensor> {
  const [count = 0, dim = 0] = rows.shape;
  const blockSize = 128;
  const gram = zeros([count, count]);
  const block = (from: number) => {
    const to = Math.min(from + blockSize, count);
    return tensor([to - from, dim], rows.data.subarray(from * dim, to * dim));
  };
  for (let top = 0; top < count; top += blockSize) {
    for (let left = 0; left <= top; left += blockSize) {
      const products = await engine.product(block(top), block(left));
      const [height = 0, width = 0] = products.shape;
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const value = products.data[i * width + j]!;
          gram.data[(top + i) * count + left + j] = value;
          gram.data[(left + j) * count + top + i] = value;
        }
      }
    }
  }
  return gram;
}

/** What a group does not share with the others: its labelled images and its start. */
function ownRows({ start, labelled }: ColumnProblem): Tensor {
  const [groups = 0, dim = 0] = start.shape;
  const images = labelled?.labels.shape[1] ?? 0;
  const own = zeros([groups, images + 1, dim]);
  for (let group = 0; group < groups; group++) {
    if (labelled) row(own, group).set(row(labelled.features, group));
    row(own, group).set(row(start, group), images * dim);
  }
  return own;
}

/** The inner products of each group's basis: [groups, basis, basis]. */
async function basisGrams(
  shared: Tensor | undefined,
  own: Tensor,
  { engine, probeGram }: { readonly engine: CavEngine; readonly probeGram: Tensor | undefined },
): Promise<Tensor> {
  const [groups = 0, ownCount = 0, dim = 0] = own.shape;
  const probes = shared?.shape[0] ?? 0;
  const among = probeGram ?? (shared && await gramOf(shared, engine));
  const across = shared && await engine.product(tensor([groups * ownCount, dim], own.data), shared);
  const basis = probes + ownCount;
  const grams = zeros([groups, basis, basis]);
  for (let group = 0; group < groups; group++) {
    const gram = tensor([basis, basis], row(grams, group));
    const ofGroup = tensor([ownCount, dim], row(own, group));
    const within = await engine.product(ofGroup, ofGroup);
    for (let i = 0; i < probes; i++) row(gram, i).set(row(among!, i));
    for (let i = 0; i < ownCount; i++) {
      row(gram, probes + i).set(row(within, i), probes);
      if (!across) continue;
      const products = row(across, group * ownCount + i);
      row(gram, probes + i).set(products);
      for (let j = 0; j < probes; j++) gram.data[j * basis + probes + i] = products[j]!;
    }
  }
  return grams;
}

/** Rows from .. to of each of the matrices [groups, rows, width]. */
function rowsOf(
  { shape, data }: Tensor,
  { from, to }: { readonly from: number; readonly to: number },
): Tensor {
  const [groups = 0, rows = 0, width = 0] = shape;
  const chosen = zeros([groups, to - from, width]);
  for (let group = 0; group < groups; group++) {
    const first = group * rows;
    row(chosen, group).set(data.subarray((first + from) * width, (first + to) * width));
  }
  return chosen;
}

/** From coefficients [groups, columns, basis] to vectors [groups, columns, dim]. */
async function combine(
  coefficients: Tensor,
  { shared, own, engine }: {
    readonly shared: Tensor | undefined;
    readonly own: Tensor;
    readonly engine: CavEngine;
  },
): Promise<Tensor> {
  const [groups = 0, columns = 0, basis = 0] = coefficients.shape;
  const [, ownCount = 0, dim = 0] = own.shape;
  const probes = basis - ownCount;
  const vectors = zeros([groups, columns, dim]);
  if (shared) {
    const all = tensor([groups * columns, basis], coefficients.data);
    const ofProbes = columnsOf(all, { from: 0, to: probes });
    vectors.data.set((await engine.product(ofProbes, shared, { transpose: "first" })).data);
  }
  for (let group = 0; group < groups; group++) {
    const ofGroup = tensor([columns, basis], row(coefficients, group));
    const ofOwn = columnsOf(ofGroup, { from: probes, to: basis });
    const images = tensor([ownCount, dim], row(own, group));
    const sums = await engine.product(ofOwn, images, { transpose: "first" });
    row(vectors, group).forEach((_, i, vector) => vector[i]! += sums.data[i]!);
  }
  return vectors;
}

/** Columns from .. to of a matrix, transposed: [to - from, rows]. */
function columnsOf(
  matrix: Tensor,
  { from, to }: { readonly from: number; readonly to: number },
): Tensor {
  const [rows = 0] = matrix.shape;
  const columns = zeros([to - from, rows]);
  for (let i = 0; i < rows; i++) {
    for (let j = from; j < to; j++) columns.data[(j - from) * rows + i] = row(matrix, i)[j]!;
  }
  return columns;
}
