import { allRows, type ConceptTextFeatures, type FeatureRows } from "../../activations/mod.ts";
import { openEngine, probeActivations, type Reweighting, startDirection } from "../../cav/mod.ts";
import { type ConceptImageSet, type Examples, testExamples } from "../../concepts/mod.ts";
import {
  type ConceptMeasure,
  type MeasureName,
  measureOf,
  type PairMeasure,
  type ProbeMeasure,
  type RankingMeasure,
  type RelationMeasure,
  type ReweightingMeasure,
  type StartMeasure,
  type TrainedCav,
  type TruthMeasure,
} from "../../metrics/mod.ts";
import { dot, normaliseRows, row, takeRows, type Tensor } from "../../tensor/mod.ts";
import {
  jsonCodec,
  refOf,
  type StageContext,
  type StageKind,
  storedAs,
  type TypedNode,
} from "../stage.ts";
import { activationBlocks } from "./_activations.ts";
import { measureReweightings } from "./_measure_reweightings.ts";
import { type RowsNeeds, rowsOf } from "./_rows.ts";
import { type Cavs, trainingRandom } from "./cavs.ts";
import type { ClassGradients } from "./gradients.ts";
import type { Truth } from "./interventions.ts";
import type { ConceptClassPair } from "./pairs.ts";

/** One measured value of one CAV. */
export interface Measurement {
  readonly concept: string;
  /**
   * The class of a measure over pairs; of one over true directions the concept of each, where it has
   * a value of each; else "".
   */
  readonly class: string;
  /** The number of the probe image of a measure over probes, else "". */
  readonly image: string;
  readonly value: number;
  /** How much it counts in a mean; 1 where nothing else is said. */
  readonly weight?: number;
}

/** What measures need; each names its own. */
export interface MeasureNeeds extends RowsNeeds {
  readonly cavs: Cavs;
  readonly concepts: ConceptImageSet;
  readonly shots?: readonly Examples[];
  readonly pairs?: readonly ConceptClassPair[];
  readonly gradients?: ClassGradients;
  readonly probes?: readonly (readonly number[])[];
  readonly text?: ConceptTextFeatures;
  /** Features of test images by both models. */
  readonly test?: FeatureRows;
  readonly vlTest?: FeatureRows;
  /** The CAVs of the same method without reweighting. */
  readonly without?: Cavs;
  readonly truth?: Truth;
}

/** Which measure. */
export interface MeasureInputs {
  readonly measure: MeasureName;
  readonly version: number;
  /** Of the CAVs, for a measure over starts. */
  readonly seed?: number;
  /** What a measure over probes aligns to. */
  readonly alignmentPairs?: "all ordered pairs" | "distinct pairs";
  /** How the CAVs' probes are reweighted, of a measure over reweightings. */
  readonly reweighting?: Reweighting;
}

type CavMeasure =
  | ConceptMeasure
  | PairMeasure
  | ProbeMeasure
  | RankingMeasure
  | StartMeasure
  | RelationMeasure
  | ReweightingMeasure
  | TruthMeasure;
type Node = TypedNode<MeasureInputs, null>;
type Need = Pick<StageContext<MeasureNeeds>, "need" | "device">;

const codec = jsonCodec<readonly Measurement[]>();

/** Values of one measure of the CAVs of one method and seed. */
export const measureKind: StageKind<MeasureNeeds, MeasureInputs, null, readonly Measurement[]> = {
  name: "measure",
  version: 1,
  ...storedAs(codec),
  group: (
    { needs: { cavs: _, shots: __, without: ___, ...shared }, inputs: { measure, alignmentPairs } },
  ) => JSON.stringify([shared, measure, alignmentPairs ?? null]),
  run: async (nodes, context) => {
    const measure = measureOf(nodes[0]!.inputs.measure);
    const values = await {
      concepts: () => measureConcepts(nodes, measure as ConceptMeasure, context),
      pairs: () => measurePairs(nodes, measure as PairMeasure, context),
      probes: () => measureProbes(nodes, measure as ProbeMeasure, context),
      starts: () => measureStarts(nodes, measure as StartMeasure, context),
      relations: () => measureRelations(nodes, measure as RelationMeasure, context),
      rankings: () => measureRankings(nodes, measure as RankingMeasure, context),
      reweightings: () => measureReweightings(nodes, measure as ReweightingMeasure, context),
      truths: () => measureTruths(nodes, measure as TruthMeasure, context),
    }[measure.over as CavMeasure["over"]]();
    for (const [index, node] of nodes.entries()) {
      await context.store.write(refOf(node), codec.encode(values[index]!));
    }
  },
};

/** By concept: its images are read once for all nodes. */
async function measureConcepts(
  nodes: readonly Node[],
  { measure }: ConceptMeasure,
  { need }: Need,
): Promise<Measurement[][]> {
  const { concepts } = await need(nodes[0]!, "concepts");
  const features = await need(nodes[0]!, "features0");
  const cavs = await Promise.all(nodes.map((node) => need(node, "cavs")));
  const shots = await Promise.all(nodes.map((node) => need(node, "shots")));
  const values: Measurement[][] = nodes.map(() => []);
  for (const [index, concept] of concepts.entries()) {
    const images = [...concept.positives, ...concept.negatives];
    const rows = await features.take(images);
    const at = new Map(images.map((image, position) => [image, position]));
    const some = (chosen: readonly number[]) => takeRows(rows, chosen.map((i) => at.get(i)!));
    for (const position of nodes.keys()) {
      const test = testExamples(concept, shots[position]![index]!);
      const value = measure(await cavOf(cavs[position]!, index), {
        positives: some(test.positives),
        negatives: some(test.negatives),
      });
      values[position]!.push({ concept: concept.name, class: "", image: "", value });
    }
  }
  return values;
}

/** By pair: the gradients of its class are read once for all nodes. */
async function measurePairs(
  nodes: readonly Node[],
  { measure }: PairMeasure,
  { need }: Need,
): Promise<Measurement[][]> {
  const { concepts } = await need(nodes[0]!, "concepts");
  const pairs = (await need(nodes[0]!, "pairs"))!;
  const { classes, gradients } = (await need(nodes[0]!, "gradients"))!;
  const cavs = await Promise.all(nodes.map((node) => need(node, "cavs")));
  const indexOf = new Map(concepts.map(({ name }, index) => [name, index]));
  const rowsOf = Map.groupBy(classes.keys(), (index) => classes[index]!);
  const values: Measurement[][] = nodes.map(() => []);
  for (const pair of pairs) {
    const rows = rowsOf.get(pair.class);
    if (rows === undefined) continue;
    const ofClass = await gradients.take(rows);
    for (const [position, ofNode] of cavs.entries()) {
      const value = measure(await cavOf(ofNode, indexOf.get(pair.concept)!), ofClass);
      values[position]!.push({ ...pair, image: "", value });
    }
  }
  return values;
}

/** By node, whose starts are drawn anew as its training drew them. */
async function measureStarts(
  nodes: readonly Node[],
  { measure }: StartMeasure,
  { need }: Need,
): Promise<Measurement[][]> {
  const { concepts } = await need(nodes[0]!, "concepts");
  return await Promise.all(nodes.map(async (node) => {
    const cavs = await need(node, "cavs");
    const dim = cavs.vectors.shape[1];
    return await Promise.all(concepts.map(async ({ name }, index) => {
      const start = startDirection(name, {
        seed: node.inputs.seed!,
        dim,
        random: trainingRandom(),
      });
      return {
        concept: name,
        class: "",
        image: "",
        value: measure(await cavOf(cavs, index), start),
      };
    }));
  }));
}

/** By concept: the gradients of all classes are read once for all nodes. */
async function measureRelations(
  nodes: readonly Node[],
  { measure }: RelationMeasure,
  { need }: Need,
): Promise<Measurement[][]> {
  const { concepts } = await need(nodes[0]!, "concepts");
  const pairs = (await need(nodes[0]!, "pairs"))!;
  const { classes, gradients } = (await need(nodes[0]!, "gradients"))!;
  const ofClasses = new Map<string, Tensor>();
  for (const [name, rows] of Map.groupBy(classes.keys(), (index) => classes[index]!)) {
    ofClasses.set(name, await gradients.take(rows));
  }
  const related = Map.groupBy(pairs, ({ concept }) => concept);
  const cavs = await Promise.all(nodes.map((node) => need(node, "cavs")));
  const values: Measurement[][] = nodes.map(() => []);
  for (const [index, { name }] of concepts.entries()) {
    const own = new Set(related.get(name)?.map((pair) => pair.class));
    const sides = Map.groupBy(ofClasses, ([id]) => own.has(id));
    const [ofOwn, ofOthers] = [true, false].map((side) => sides.get(side)?.map(([, rows]) => rows));
    if (!ofOwn || !ofOthers) continue;
    for (const [position, ofNode] of cavs.entries()) {
      const gradients = { related: ofOwn, unrelated: ofOthers };
      const value = measure(await cavOf(ofNode, index), gradients);
      values[position]!.push({ concept: name, class: "", image: "", value });
    }
  }
  return values;
}

/** By concept: what is known of its probes is computed once for all nodes. */
async function measureProbes(
  nodes: readonly Node[],
  { measure }: ProbeMeasure,
  { need, device }: Need,
): Promise<Measurement[][]> {
  const [first] = nodes as [Node];
  const { concepts } = await need(first, "concepts");
  const chosen = (await need(first, "probes"))!;
  const { prompt } = (await need(first, "text"))!;
  const features = await rowsOf(first, "features", need);
  const vlFeatures = await rowsOf(first, "vl", need);
  const cavs = await Promise.all(nodes.map((node) => need(node, "cavs")));
  const values: Measurement[][] = nodes.map(() => []);
  const engine = await openEngine("ort", { device });
  try {
    for (const [index, { name }] of concepts.entries()) {
      const probes = chosen[index]!;
      const ofProbes = await probeActivations(
        { features: await features.take(probes), vlFeatures: await vlFeatures.take(probes) },
        { text: row(prompt, index), alignmentPairs: first.inputs.alignmentPairs!, engine },
      );
      for (const [position, ofNode] of cavs.entries()) {
        const activations = measure(await cavOf(ofNode, index), ofProbes);
        values[position]!.push(
          ...probes.map((image, i) => ({
            concept: name,
            class: "",
            image: `${image}`,
            value: activations[i]!,
          })),
        );
      }
    }
  } finally {
    await engine.close();
  }
  return values;
}

/** By concept: what the VL model makes of the test images is computed once for all nodes. */
async function measureRankings(
  nodes: readonly Node[],
  { measure }: RankingMeasure,
  { need, device }: Need,
): Promise<Measurement[][]> {
  const [first] = nodes as [Node];
  const { concepts } = await need(first, "concepts");
  const { prompt } = (await need(first, "text"))!;
  const test = (await need(first, "test"))!;
  const vlTest = (await need(first, "vlTest"))!;
  const directions = await Promise.all(
    nodes.map(async (node) => await allRows((await need(node, "cavs")).vectors)),
  );
  const values: Measurement[][] = nodes.map(() => []);
  const engine = await openEngine("ort", { device });
  try {
    const ofText = activationBlocks(prompt, vlTest, { engine });
    const ofCavs = directions.map((vectors) => activationBlocks(vectors, test, { engine }));
    for await (const { start, activations } of ofText) {
      for (const [position, blocks] of ofCavs.entries()) {
        const { value: scores } = await blocks.next();
        for (let i = 0; i < activations.shape[0]!; i++) {
          const value = measure(row(scores!.activations, i), row(activations, i));
          const { name } = concepts[start + i]!;
          values[position]!.push({ concept: name, class: "", image: "", value });
        }
      }
    }
  } finally {
    await engine.close();
  }
  return values;
}

/** By concept and node: its CAV is read, and compared with the true directions of all concepts. */
async function measureTruths(
  nodes: readonly Node[],
  { measure }: TruthMeasure,
  { need }: Need,
): Promise<Measurement[][]> {
  const { concepts } = await need(nodes[0]!, "concepts");
  const truth = (await need(nodes[0]!, "truth"))!;
  const directions = normaliseRows(truth.directions);
  const numberOf = new Map(truth.concepts.map(({ name }, number) => [name, number]));
  return await Promise.all(nodes.map(async (node) => {
    const cavs = await need(node, "cavs");
    const values: Measurement[] = [];
    for (const [index, { name }] of concepts.entries()) {
      const number = numberOf.get(name);
      if (number === undefined) continue;
      const vector = normaliseRows(await cavs.vectors.take([index])).data;
      const of = measure({
        concept: name,
        category: truth.concepts[number]!.category,
        directions: truth.concepts.map(({ name, category }, other) => ({
          concept: name,
          category,
          cosine: dot(vector, row(directions, other)),
          ofTruth: dot(row(directions, number), row(directions, other)),
        })),
        reliability: truth.reliability.data[number]!,
        consistency: truth.consistency.data[number]!,
      });
      for (const { direction, value } of of) {
        values.push({ concept: name, class: direction, image: "", value });
      }
    }
    return values;
  }));
}

/** The CAV of the concept at this place. */
export async function cavOf({ vectors, thresholds }: Cavs, concept: number): Promise<TrainedCav> {
  const matrix: Tensor = await vectors.take([concept]);
  return { vector: matrix.data, threshold: thresholds[concept]! };
}
