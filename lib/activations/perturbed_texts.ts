import {
  dot,
  norm,
  normaliseRows,
  type Random,
  row,
  type Tensor,
  tensor,
  zeros,
} from "../tensor/mod.ts";
import type { ConceptTextFeatures } from "./text_features.ts";

/**
 * Texts whose words mean two things: the feature of each prompt of a concept, at unit length, mixed
 * with that of the same prompt of another concept.
 *
 * @param options.others the other concept of each, as positions.
 * @param options.weight of the other: 0.5 means both alike.
 */
export function ambiguousTexts(
  { prompt, ensemble }: ConceptTextFeatures,
  { others, weight }: { readonly others: readonly number[]; readonly weight: number },
): ConceptTextFeatures {
  const mixed = (features: Tensor): Tensor => {
    const unit = unitRows(features);
    const result = zeros(features.shape);
    others.forEach((other, concept) => {
      const [own, theirs] = [row(unit, concept), row(unit, other)];
      row(result, concept).set(own.map((x, i) => (1 - weight) * x + weight * theirs[i]!));
    });
    return result;
  };
  return { prompt: mixed(prompt), ensemble: mixed(ensemble) };
}

/**
 * Texts whose cosines with each other are wide: the feature of each prompt, at unit length, minus a
 * share of the mean over the concepts under that prompt.
 */
export function centreTexts(
  { prompt, ensemble }: ConceptTextFeatures,
  { share }: { readonly share: number },
): ConceptTextFeatures {
  const centre = (features: Tensor): Tensor => {
    const unit = unitRows(features);
    const [concepts = 0] = unit.shape;
    const mean = meanOfRows(unit);
    for (let i = 0; i < concepts; i++) {
      row(unit, i).forEach((x, j, own) => own[j] = x - share * mean[j]!);
    }
    return unit;
  };
  return { prompt: centre(prompt), ensemble: centre(ensemble) };
}

/** How prompts of a concept lie apart; see {@linkcode disperseTexts}. */
export interface Dispersion {
  /** The mean of 1 minus the cosine of two prompts of a concept, over that of two concepts. */
  readonly level: number;
  /** Rank r of the templates has r ** zipf times the variance of the first. */
  readonly zipf: number;
  /** The share of the variance by which a template moves all concepts alike. */
  readonly style: number;
  readonly random: Random;
}

/**
 * Moves the features of the prompts, so that those of one concept lie apart by the level asked for,
 * within the space that the concepts' features span: images vary there. Each template has one move
 * for all concepts, its style, and another one for each concept. Templates that differ in a full stop
 * are one. The mean cosine between prompts of a concept becomes 1 - level * (1 - C) for C the mean
 * cosine between concepts under the plain prompt.
 *
 * @param templates the plain one, then those of the ensemble, ranked as they are listed.
 * @throws {RangeError} when no move is as large as that.
 */
export function disperseTexts(
  { prompt, ensemble }: ConceptTextFeatures,
  templates: readonly string[],
  { level, zipf, style, random }: Dispersion,
): ConceptTextFeatures {
  const plain = unitRows(prompt);
  const [concepts = 0, width = 0] = plain.shape;
  const deviations = centred(plain);
  const move = (stream: Random): Float64Array => combine(deviations, stream);
  const names = templates.map((template) => template.replace(/\.$/, ""));
  const ranks = new Map([...new Set(names)].map((name, at) => [name, at + 1]));
  const moves = new Map([...ranks].map(([name, rank]) => {
    const stream = random.split(name);
    const scale = rank ** (zipf / 2);
    const ofAll = move(stream.split("style"));
    return [
      name,
      Array.from({ length: concepts }, (_, concept) => {
        const own = move(stream.split("concept").split(concept));
        return own.map((x, i) => scale * (Math.sqrt(style) * ofAll[i]! + Math.sqrt(1 - style) * x));
      }),
    ];
  }));
  const units = unitRows(ensemble);
  const moved = (length: number): Tensor => {
    const result = zeros(ensemble.shape);
    for (let concept = 0; concept < concepts; concept++) {
      const [from, to] = [row(units, concept), row(result, concept)];
      names.slice(1).forEach((name, k) => {
        const by = moves.get(name)![concept]!;
        for (let i = 0; i < width; i++) to[k * width + i] = from[k * width + i]! + length * by[i]!;
      });
    }
    return result;
  };
  const target = level * (1 - meanCosine(plain));
  const length = lengthOf((length) => 1 - promptCosine(moved(length)), target);
  const first = zeros(prompt.shape);
  for (let concept = 0; concept < concepts; concept++) {
    const by = moves.get(names[0]!)![concept]!;
    row(first, concept).set(row(plain, concept).map((x, i) => x + length * by[i]!));
  }
  return { prompt: first, ensemble: moved(length) };
}

/** The mean over concepts of the mean cosine between features of two prompts, [concepts, prompts, width]. */
export function promptCosine(
  { shape: [concepts = 0, prompts = 0, width = 0], data }: Tensor,
): number {
  let sum = 0;
  for (let concept = 0; concept < concepts; concept++) {
    const from = concept * prompts * width;
    sum += meanCosine(tensor([prompts, width], data.subarray(from, from + prompts * width)));
  }
  return sum / concepts;
}

/** The mean cosine between two different rows. */
function meanCosine(matrix: Tensor): number {
  const [rows = 0, width = 0] = matrix.shape;
  const sum = new Float64Array(width);
  for (let i = 0; i < rows; i++) {
    const of = row(matrix, i);
    const length = norm(of);
    for (let j = 0; j < width; j++) sum[j]! += of[j]! / length;
  }
  return (dot(sum, sum) - rows) / (rows * (rows - 1));
}

/** The length at which a rising function of it reaches a value, to 2 ** -40 of the largest. */
function lengthOf(of: (length: number) => number, value: number): number {
  let [low, high] = [0, 64];
  if (of(high) < value) {
    throw new RangeError(
      `Prompts of a concept cannot lie apart by a mean cosine of ${
        1 - value
      }. Lower the dispersion.`,
    );
  }
  for (let step = 0; step < 46; step++) {
    const middle = (low + high) / 2;
    if (of(middle) < value) low = middle;
    else high = middle;
  }
  return high;
}

/** A random combination of rows, as long on average as one of them. */
function combine(rows: readonly Float64Array[], random: Random): Float64Array {
  const sum = new Float64Array(rows[0]!.length);
  for (const of of rows) {
    const weight = random.normal() / Math.sqrt(rows.length);
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * of[i]!;
  }
  return sum;
}

function meanOfRows(matrix: Tensor): Float64Array {
  const [rows = 0] = matrix.shape;
  const mean = new Float64Array(matrix.data.length / rows);
  for (let i = 0; i < rows; i++) row(matrix, i).forEach((x, j) => mean[j]! += x / rows);
  return mean;
}

function centred(matrix: Tensor): Float64Array[] {
  const [rows = 0] = matrix.shape;
  const mean = meanOfRows(matrix);
  return Array.from(
    { length: rows },
    (_, i) => Float64Array.from(row(matrix, i), (x, j) => x - mean[j]!),
  );
}

/** Every vector along the last axis divided by its length. */
function unitRows({ shape, data }: Tensor): Tensor {
  const width = shape.at(-1)!;
  return tensor(shape, normaliseRows(tensor([data.length / width, width], data)).data);
}
