import { row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type { CavEngine, ColumnProblem, Columns, Descent } from "./engine.ts";

/**
 * Whether vectors train in the span of their images: where features are longer than there are images.
 * The products of all probes with each other, which come before it, are those that Gaussian alignment
 * asks for; a step then costs as if features were as long as there are images, and half of that. The
 * choice rests on shapes alone, so bytes do not depend on what else is trained.
 */
export function trainsInSpan(
  { dim, images }: { readonly dim: number; readonly images: number },
): boolean {
  return dim > images;
}

/**
 * Gradient descent in the span of a group's images and its start: gradients are sums of images, so
 * a vector never leaves it, and all that the losses know of features is their inner products. The
 * basis of a group is the probes, which all groups share, its labelled images and its start. Equal
 * to the direct descent but for rounding.
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
  const [groups = 0, ownCount = 0, dim = 0] = own.shape;
  const within = await engine.product(own, own);
  const across = shared && tensor(
    [groups, ownCount, shared.shape[0]!],
    (await engine.product(tensor([groups * ownCount, dim], own.data), shared)).data,
  );
  const basis = (shared?.shape[0] ?? 0) + ownCount;
  /** Products of some of what a group has for itself with its basis. */
  const productsOf = (from: number, to: number) => rowsOf([across, within], { from, to });
  const trained = await engine.minimise({
    start: tensor([groups, basis], productsOf(ownCount - 1, ownCount).data),
    columns,
    labelled: labelled && { ...labelled, features: productsOf(0, ownCount - 1) },
    probes: probes && {
      ...probes,
      features: gramAsSet(probeGram ?? await gramOf(shared!, engine)),
      across,
    },
    inSpan: true,
  }, descent);
  const vectors = await combine(trained.vectors, { shared, own, engine });
  return { vectors, biases: trained.biases };
}

/** Rows of a Gram matrix that are multiplied at once. */
const stripSize = 128;

/**
 * The inner products of rows with each other, [rows, rows]: those on one side of the diagonal, strip
 * by strip, and their mirror.
 *
 * @param rows [rows, dim]
 */
export async function gramOf(rows: Tensor, engine: CavEngine): Promise<Tensor> {
  const [count = 0, dim = 0] = rows.shape;
  const { data } = rows;
  const gram = zeros([count, count]);
  for (let from = 0; from < count; from += stripSize) {
    const to = Math.min(from + stripSize, count);
    const strip = tensor([to - from, dim], data.subarray(from * dim, to * dim));
    const before = tensor([to, dim], data.subarray(0, to * dim));
    const products = await engine.product(strip, before);
    for (let i = from; i < to; i++) gram.data.set(row(products, i - from), i * count);
    for (let j = 0; j < to; j++) {
      for (let i = from; i < to; i++) gram.data[j * count + i] = gram.data[i * count + j]!;
    }
  }
  return gram;
}

function gramAsSet({ shape, data }: Tensor): Tensor {
  return tensor([1, ...shape], data);
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

/** Rows from .. to of each of the matrices [groups, rows, width], those of several side by side. */
function rowsOf(
  matrices: readonly (Tensor | undefined)[],
  { from, to }: { readonly from: number; readonly to: number },
): Tensor {
  const present = matrices.filter((matrix) => matrix !== undefined);
  const [groups = 0, rows = 0] = present[0]!.shape;
  const width = present.reduce((sum, { shape }) => sum + shape[2]!, 0);
  const chosen = zeros([groups, to - from, width]);
  let at = 0;
  for (let group = 0; group < groups; group++) {
    for (let i = group * rows + from; i < group * rows + to; i++) {
      for (const { shape: [, , size = 0], data } of present) {
        chosen.data.set(data.subarray(i * size, (i + 1) * size), at);
        at += size;
      }
    }
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
  const [, ownCount = 0] = own.shape;
  const probes = basis - ownCount;
  const options = { transpose: "neither" } as const;
  const ofOwn = lastAxis(coefficients, { from: probes, to: basis });
  const vectors = await engine.product(tensor([groups, columns, ownCount], ofOwn), own, options);
  if (!shared) return vectors;
  const ofProbes = lastAxis(coefficients, { from: 0, to: probes });
  const rows = tensor([groups * columns, probes], ofProbes);
  const { data } = await engine.product(rows, shared, options);
  for (let i = 0; i < data.length; i++) vectors.data[i]! += data[i]!;
  return vectors;
}

/** Entries from .. to of the last axis, as they lie. */
function lastAxis(
  { shape, data }: Tensor,
  { from, to }: { readonly from: number; readonly to: number },
): Float32Array {
  const width = shape.at(-1)!;
  const part = new Float32Array(data.length / width * (to - from));
  for (let at = 0, i = 0; at < data.length; at += width, i += to - from) {
    part.set(data.subarray(at + from, at + to), i);
  }
  return part;
}
