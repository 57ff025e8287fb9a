import type { Schedule } from "../config/mod.ts";
import { dot, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { type CavEngine, descentOf } from "./engine.ts";

/** The classifiers of one concept, each of a group of labelled images, some of which are averaged. */
export interface LabelledGroups {
  /** The images of each group and, last, the vector that it starts from: [groups, images + 1, dim]. */
  readonly own: Tensor;
  /** 1 or 0, [groups, images]. */
  readonly labels: Tensor;
  /** Groups in a row of which one vector is the mean. */
  readonly averaged: number;
  /** Probes of the concept, which set the number of steps. */
  readonly probes: number;
  /** As in `LabelledImages`. */
  readonly perturbations?: readonly number[];
  /**
   * What takes the place of each member of a group, from their inner products: rows of coefficients,
   * [images + 1, images + 1]. Members stand for themselves when left out.
   */
  readonly sums?: (gram: Tensor) => readonly Float64Array[];
}

/** What the groups of a concept became. */
export interface Classifiers {
  /** [groups / averaged, dim] */
  readonly vectors: Tensor;
  readonly biases: readonly number[];
}

interface TrainingOptions {
  readonly engine: CavEngine;
  readonly schedule: Schedule;
}

/** Bytes of images that are held at a time, beyond those of one concept. */
const heldBytes = 2 ** 26;

/** A concept whose images have become inner products. */
interface Prepared {
  readonly groups: LabelledGroups;
  /** Coefficients of what stands for each member, by group; undefined for the members themselves. */
  readonly sums: readonly (readonly Float64Array[])[] | undefined;
  /** Inner products of what stands for the members, [groups, images + 1, images + 1]. */
  readonly gram: Tensor;
}

/**
 * Trains classifiers of few images in the span of these, where steps are so small that those of
 * several concepts are taken together. The bits of one do not depend on the others.
 *
 * @param prepare gathers the images of a concept, when it is about to train.
 */
export async function trainLabelled(
  concepts: readonly (() => Promise<LabelledGroups>)[],
  options: TrainingOptions,
): Promise<Classifiers[]> {
  const trained: Classifiers[] = [];
  let held: Prepared[] = [];
  let bytes = 0;
  const flush = async () => {
    if (held.length > 0) trained.push(...await trainTogether(held, options));
    [held, bytes] = [[], 0];
  };
  for (const prepare of concepts) {
    const groups = await prepare();
    const { own } = groups;
    if (held.some((other) => !trainAlike(other.groups, groups))) await flush();
    const products = await options.engine.product(own, own);
    held.push({ groups, ...mixed(products, groups) });
    bytes += own.data.byteLength;
    if (bytes >= heldBytes) await flush();
  }
  await flush();
  return trained;
}

function trainAlike(a: LabelledGroups, b: LabelledGroups): boolean {
  return a.probes === b.probes && a.own.shape[1] === b.own.shape[1];
}

/** Inner products of sums of members: S G S'. */
function mixed(gram: Tensor, { sums: sumsOf }: LabelledGroups): Pick<Prepared, "sums" | "gram"> {
  if (!sumsOf) return { sums: undefined, gram };
  const [groups = 0, size = 0] = gram.shape;
  const result = zeros(gram.shape);
  const sums = Array.from({ length: groups }, (_, group) => {
    const products = tensor([size, size], row(gram, group));
    const ofGroup = sumsOf(products);
    const half = ofGroup.map((sum) => times(sum, products));
    ofGroup.forEach((sum, i) =>
      half.forEach((other, j) => result.data[(group * size + i) * size + j] = dot(sum, other))
    );
    return ofGroup;
  });
  return { sums, gram: result };
}

/** s M of a symmetric matrix [size, size]. */
function times(sum: Float64Array, { data }: Tensor): Float64Array {
  const size = sum.length;
  const product = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    if (sum[i] === 0) continue;
    for (let j = 0; j < size; j++) product[j]! += sum[i]! * data[i * size + j]!;
  }
  return product;
}

async function trainTogether(
  concepts: readonly Prepared[],
  { engine, schedule }: TrainingOptions,
): Promise<Classifiers[]> {
  const size = concepts[0]!.gram.shape[1]!;
  const gram = joined(concepts.map(({ gram }) => gram));
  const groups = gram.shape[0]!;
  const start = zeros([groups, size]);
  const features = zeros([groups, size - 1, size]);
  for (let group = 0; group < groups; group++) {
    const products = row(gram, group);
    row(start, group).set(products.subarray(-size));
    row(features, group).set(products.subarray(0, -size));
  }
  const perturbed = concepts[0]!.groups.perturbations !== undefined;
  const { vectors, biases } = await engine.minimise({
    start,
    // A single row takes another way through the runtimes' products.
    columns: 2,
    labelled: {
      features,
      labels: joined(concepts.map(({ groups }) => groups.labels)),
      perturbations: perturbed
        ? concepts.flatMap(({ groups }) => groups.perturbations!)
        : undefined,
    },
    inSpan: true,
  }, descentOf(schedule, concepts[0]!.groups.probes));
  const results: Classifiers[] = [];
  let first = 0;
  for (const concept of concepts) {
    const count = concept.gram.shape[0]!;
    const part = <T>({ data }: Tensor, width: number) =>
      data.subarray(first * width, (first + count) * width);
    results.push(
      await combine(concept, {
        coefficients: tensor([count, 2, size], part(vectors, 2 * size)),
        biases: part(biases, 2),
        engine,
      }),
    );
    first += count;
  }
  return results;
}

/** From coefficients and biases, the same in both columns, to the means of the vectors. */
async function combine(
  { groups: { own, averaged }, sums }: Prepared,
  { coefficients, biases, engine }: {
    readonly coefficients: Tensor;
    readonly biases: Float32Array;
    readonly engine: CavEngine;
  },
): Promise<Classifiers> {
  const [groups = 0, size = 0, dim = 0] = own.shape;
  const sets = groups / averaged;
  const means = zeros([sets, 2, averaged * size]);
  const ofMembers = (group: number): ArrayLike<number> => {
    const trained = row(coefficients, group).subarray(0, size);
    const ofGroup = sums?.[group];
    if (!ofGroup) return trained;
    const members = new Float64Array(size);
    ofGroup.forEach((sum, i) => sum.forEach((x, j) => members[j]! += trained[i]! * x));
    return members;
  };
  for (let set = 0; set < sets; set++) {
    const ofSet = Array.from({ length: averaged }, (_, i) => ofMembers(set * averaged + i));
    const mean = Float32Array.from(ofSet.flatMap((members) => [...Array.from(members)]));
    mean.forEach((_, i) => mean[i]! /= averaged);
    row(means, set).set(mean);
    row(means, set).set(mean, mean.length);
  }
  const both = await engine.product(means, tensor([sets, averaged * size, dim], own.data), {
    transpose: "neither",
  });
  const vectors = zeros([sets, dim]);
  for (let set = 0; set < sets; set++) row(vectors, set).set(row(both, set).subarray(0, dim));
  const ofSets = Array.from({ length: sets }, (_, set) => {
    let sum = 0;
    for (let i = 0; i < averaged; i++) sum += biases[2 * (set * averaged + i)]!;
    return sum / averaged;
  });
  return { vectors, biases: ofSets };
}

/** Tensors one after the other along their first axis. */
function joined(tensors: readonly Tensor[]): Tensor {
  const [{ shape: [, ...rest] }] = tensors as readonly [Tensor];
  const count = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const all = zeros([count, ...rest]);
  let at = 0;
  for (const { data } of tensors) {
    all.data.set(data, at);
    at += data.length;
  }
  return all;
}
