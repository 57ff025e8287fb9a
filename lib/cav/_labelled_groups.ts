import type { Schedule } from "../config/mod.ts";
import { row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
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
   * What takes the place of each member of a group, from their inner products, [images + 1, images +
   * 1] both: rows of coefficients. Members stand for themselves when left out.
   */
  readonly sums?: (gram: Tensor) => Tensor;
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
  /** Coefficients of what stands for the members, [groups, images + 1, images + 1]. */
  readonly sums: Tensor | undefined;
  /** Inner products of what stands for the members, [groups, images + 1, images + 1]. */
  readonly gram: Tensor;
}

/**
 * Trains classifiers of few images in the span of these, where steps are so small that those of
 * several concepts are taken together. The bits of one do not depend on the others.
 *
 * @param concepts each gathers its images, when it is about to train.
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
    held.push(await prepared(groups, options.engine));
    bytes += own.data.byteLength;
    if (bytes >= heldBytes) await flush();
  }
  await flush();
  return trained;
}

function trainAlike(a: LabelledGroups, b: LabelledGroups): boolean {
  return a.probes === b.probes && a.own.shape[1] === b.own.shape[1];
}

/** Inner products of the members, or of the sums S that stand for them: S G S'. */
async function prepared(groups: LabelledGroups, engine: CavEngine): Promise<Prepared> {
  const { own, sums: sumsOf } = groups;
  const gram = await engine.product(own, own);
  if (!sumsOf) return { groups, gram, sums: undefined };
  const [count = 0, size = 0] = gram.shape;
  const ofGroups = Array.from(
    { length: count },
    (_, group) => sumsOf(tensor([size, size], row(gram, group))),
  );
  const sums = tensor(gram.shape, joined(ofGroups).data);
  const half = await engine.product(sums, gram, { transpose: "neither" });
  return { groups, gram: await engine.product(half, sums), sums };
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
  const ofMembers = sums
    ? await engine.product(coefficients, sums, { transpose: "neither" })
    : coefficients;
  // Side by side and divided by their number, the groups of a set have their mean as their sum.
  const means = zeros([sets, 2, averaged * size]);
  for (let group = 0; group < groups; group++) {
    const ofSet = row(means, Math.floor(group / averaged));
    const trained = row(ofMembers, group);
    for (const column of [0, 1]) {
      const at = (column * averaged + group % averaged) * size;
      for (let i = 0; i < size; i++) ofSet[at + i] = trained[column * size + i]! / averaged;
    }
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
