import { type FeatureRows, featureRows } from "../activations/mod.ts";
import type { Correction } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import type { LastLayer } from "../models/mod.ts";
import { createGraph } from "../onnx/mod.ts";
import {
  normaliseRows,
  type Random,
  range,
  row,
  takeRows,
  type Tensor,
  zeros,
} from "../tensor/mod.ts";
import { highestActivations, trainConceptLayer } from "./_concept_layer.ts";
import type { CorrectedLayer, LanguageView } from "./correction_problem.ts";
import { blocksOf, checkedRows } from "./_rows.ts";
import { fitSparseLayer } from "./saga.ts";
import type { Sessions } from "./_sessions.ts";

/** Numbers that say how much of its concepts each image shows, kept in memory up to 256 MB. */
const keptActivations = 2 ** 26;

/** What a bottleneck is made of. */
export interface LabelFreeCbmOptions {
  /** [images, dim] */
  readonly features: FeatureRows;
  readonly labels: Int32Array;
  readonly classes: number;
  readonly concepts: LanguageView;
  readonly random: Random;
  readonly sessions: Sessions;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Label-free CBM (arXiv 2304.06129): a bottleneck of concepts, then a sparse layer. The concept layer
 * learns to answer as the VL model does to each concept's text; concepts that the VL model hardly
 * sees, or that the features do not give, go by two cut-offs; what the others say is standardised over
 * the training images, and a sparse logistic regression gives the classes. All of it is linear in the
 * features, W_g ((W_c x - mean) / deviation) + b, so it folds into one last layer.
 *
 * @throws {UserError} when no concept is left, or a part diverges.
 */
export async function labelFreeCbm(
  { hyperparameters: settings }: Correction<"label_free_cbm">,
  { features, labels, classes, concepts, random, sessions, signal }: LabelFreeCbmOptions,
): Promise<Omit<CorrectedLayer, "request">> {
  const views = checkedRows(concepts.images, { what: "VL features", normalise: true });
  const unit = normaliseRows(concepts.texts);
  const { activationCutoff, similarityCutoff } = settings;
  const highest = await highestActivations({ views, texts: unit }, { sessions, signal });
  const texts = above(unit, {
    scores: highest,
    cutoff: activationCutoff,
    name: "activationCutoff",
  });
  const layer = await trainConceptLayer(
    { features, views, texts },
    { settings, random: random.split("concepts"), sessions, signal },
  );
  const weight = above(layer.weight, {
    scores: layer.similarities,
    cutoff: similarityCutoff,
    name: "similarityCutoff",
  });
  const standardised = await standardise(features, { weight, sessions, signal });
  const activations = await conceptActivations(features, { layer: standardised, sessions, signal });
  const sparse = await fitSparseLayer({ features: activations, labels, classes }, {
    ...settings,
    random: random.split("saga"),
    sessions,
    signal,
  });
  const kept = layer.similarities.filter((similarity) => similarity > similarityCutoff);
  return {
    ...fold(sparse, standardised),
    diagnostics: {
      concepts: kept.length,
      conceptSimilarity: kept.reduce((sum, similarity) => sum + similarity, 0) / kept.length,
      conceptSteps: layer.steps,
      nonZeroShare: sparse.weight.data.filter((value) => value !== 0).length /
        sparse.weight.data.length,
      sparseEpochs: sparse.epochs,
    },
  };
}

/** The rows whose score is above a cut-off. */
function above(
  matrix: Tensor,
  { scores, cutoff, name }: {
    readonly scores: ArrayLike<number>;
    readonly cutoff: number;
    readonly name: string;
  },
): Tensor {
  const count = matrix.shape[0]!;
  const kept = range(0, count).filter((i) => scores[i]! > cutoff);
  if (kept.length > 0) return takeRows(matrix, kept);
  throw new UserError(
    `Making a concept bottleneck: none of ${count} concepts is above the ${name} of ${cutoff}; lower ` +
      `it, or give concepts that the images show.`,
  );
}

/**
 * The concept layer with answers of mean 0 and deviation 1 over the images, as a layer with a bias.
 * An answer that never varies is 0.
 */
async function standardise(
  features: FeatureRows,
  { weight, sessions, signal }: {
    readonly weight: Tensor;
    readonly sessions: Sessions;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<LastLayer> {
  const concepts = weight.shape[0]!;
  const raw = { weight, bias: zeros([concepts]) };
  // From the first answers on, so that squares lose nothing to a mean far from 0.
  let origin: Float32Array | undefined;
  const [sums, squares] = [new Float64Array(concepts), new Float64Array(concepts)];
  const images = features.shape[0];
  for await (const { rows } of blocksOf(features, signal)) {
    const answers = await applyLayer(raw, { rows, sessions });
    origin ??= row(answers, 0).slice();
    for (let i = 0; i < answers.shape[0]!; i++) {
      const ofImage = row(answers, i);
      for (let c = 0; c < concepts; c++) {
        const difference = ofImage[c]! - origin[c]!;
        sums[c]! += difference;
        squares[c]! += difference ** 2;
      }
    }
  }
  const scaled = { weight: zeros(weight.shape), bias: zeros([concepts]) };
  for (let c = 0; c < concepts; c++) {
    const variance = (squares[c]! - sums[c]! ** 2 / images) / (images - 1);
    if (!(variance > 0)) continue;
    const deviation = Math.sqrt(variance);
    row(scaled.weight, c).set(row(weight, c).map((value) => value / deviation));
    scaled.bias.data[c] = -(origin![c]! + sums[c]! / images) / deviation;
  }
  return scaled;
}

/** What the concept layer says of the images: in memory where it fits, else as it is asked for. */
async function conceptActivations(
  features: FeatureRows,
  { layer, sessions, signal }: {
    readonly layer: LastLayer;
    readonly sessions: Sessions;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<FeatureRows> {
  const shape = [features.shape[0], layer.bias.data.length] as const;
  if (shape[0] * shape[1] > keptActivations) {
    const take = async (indices: ArrayLike<number>) =>
      await applyLayer(layer, { rows: await features.take(indices), sessions });
    return { shape, take };
  }
  const all = zeros(shape);
  for await (const { start, rows } of blocksOf(features, signal)) {
    all.data.set((await applyLayer(layer, { rows, sessions })).data, start * shape[1]);
  }
  return featureRows(all);
}

/** W x + b of each row, [rows, outputs]. */
async function applyLayer(
  { weight, bias }: LastLayer,
  { rows, sessions }: { readonly rows: Tensor; readonly sessions: Sessions },
): Promise<Tensor> {
  const session = await sessions.get("apply", { terms: {}, build: buildApply });
  return (await session.run({ rows, weight, bias }, ["answers"])).answers;
}

function buildApply(): Uint8Array {
  const graph = createGraph("apply");
  const rows = graph.input("rows", ["rows", "dim"]);
  const weight = graph.input("weight", ["outputs", "dim"]);
  const bias = graph.input("bias", ["outputs"]);
  graph.output(graph.node("Gemm", [rows, weight, bias], { transB: 1 }), "answers");
  return graph.build();
}

/** One layer that does what `outer` does with what `inner` gives. */
function fold(outer: LastLayer, inner: LastLayer): LastLayer {
  const [classes = 0, concepts = 0] = outer.weight.shape;
  const dim = inner.weight.shape[1]!;
  const folded = { weight: zeros([classes, dim]), bias: zeros([classes]) };
  for (let k = 0; k < classes; k++) {
    const sums = new Float64Array(dim);
    let bias = outer.bias.data[k]!;
    for (let c = 0; c < concepts; c++) {
      const factor = outer.weight.data[k * concepts + c]!;
      // Most of a sparse layer is 0.
      if (factor === 0) continue;
      const ofConcept = row(inner.weight, c);
      for (let j = 0; j < dim; j++) sums[j]! += factor * ofConcept[j]!;
      bias += factor * inner.bias.data[c]!;
    }
    row(folded.weight, k).set(sums);
    folded.bias.data[k] = bias;
  }
  return folded;
}
