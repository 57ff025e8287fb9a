import { allRows } from "../../activations/mod.ts";
import {
  controlledPValues,
  type MeasureName,
  measureOf,
  type PairMeasure,
} from "../../metrics/mod.ts";
import { row, type Tensor, zeros } from "../../tensor/mod.ts";
import { artifactKind, jsonCodec, type StageNode, tensorCodec } from "../stage.ts";
import type { Cavs } from "./cavs.ts";
import type { ClassGradients } from "./gradients.ts";
import type { Measurement } from "./measure.ts";
import type { ConceptClassPair } from "./pairs.ts";

/** A measure of pairs, whose values are held against those of controls. */
interface OfPairs {
  readonly measure: MeasureName;
  readonly version: number;
}

/** What a control gets: [classes, concepts], in the order of {@linkcode testedClasses}. */
export interface ControlValues {
  readonly values: Tensor;
}

/** The values that the CAVs of a control of one seed get at each class that has a pair, all of them. */
export const controlValuesKind = artifactKind<
  {
    readonly cavs: Cavs;
    readonly pairs: readonly ConceptClassPair[];
    readonly gradients: ClassGradients;
  },
  OfPairs,
  null,
  ControlValues
>({
  name: "control_values",
  version: 1,
  codec: tensorCodec(["values"]),
  compute: async (node, { need }) => {
    const { measure } = measureOf(node.inputs.measure) as PairMeasure;
    const { vectors, thresholds } = await need(node, "cavs");
    const cavs = await allRows(vectors);
    const gradients = await need(node, "gradients");
    const classes = testedClasses(await need(node, "pairs"), gradients);
    const rowsOf = Map.groupBy(gradients.classes.keys(), (index) => gradients.classes[index]!);
    const values = zeros([classes.length, thresholds.length]);
    for (const [index, name] of classes.entries()) {
      const ofClass = await gradients.gradients.take(rowsOf.get(name)!);
      thresholds.forEach((threshold, concept) => {
        const cav = { vector: row(cavs, concept), threshold };
        row(values, index)[concept] = measure(cav, ofClass);
      });
    }
    return { values };
  },
});

/** The classes that have a pair and a gradient, sorted. */
function testedClasses(
  pairs: readonly ConceptClassPair[],
  { classes }: Pick<ClassGradients, "classes">,
): string[] {
  const known = new Set(classes);
  return [...new Set(pairs.map((pair) => pair.class))].filter((name) => known.has(name)).sort();
}

/** What the significance of pairs takes: control c of the c-th method and the s-th seed. */
export interface SignificanceNeeds {
  readonly pairs: readonly ConceptClassPair[];
  readonly gradients: ClassGradients;
  readonly values: readonly Measurement[];
  readonly [role: `control${number}_${number}`]: ControlValues;
}

/**
 * Of each pair 100 where it stands out from the controls of its class, else 0: where its p-value
 * among those of all kinds, concepts and seeds, corrected over the pairs of the method and seed, is at
 * most the rate.
 */
export const significanceKind = artifactKind<
  SignificanceNeeds,
  { readonly version: number; readonly falseDiscoveryRate: number },
  null,
  readonly Measurement[]
>({
  name: "significance",
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const classes = testedClasses(await need(node, "pairs"), await need(node, "gradients"));
    const ofControls = await controlsOf(node, (role) => need(node, role));
    const byClass = new Map(classes.map((name, index) => [
      name,
      Float64Array.from(ofControls.flatMap(({ values }) => [...row(values, index)])).sort(),
    ]));
    const measured = await need(node, "values");
    const pValues = controlledPValues(
      measured.map((pair) => ({ value: pair.value, controls: byClass.get(pair.class)! })),
    );
    const { falseDiscoveryRate } = node.inputs;
    return measured.map((pair, i) => ({
      ...pair,
      value: pValues[i]! <= falseDiscoveryRate ? 100 : 0,
    }));
  },
});

/** Of all kinds and seeds. */
async function controlsOf(
  { needs }: StageNode,
  need: (role: `control${number}_${number}`) => Promise<ControlValues>,
): Promise<ControlValues[]> {
  const controls: ControlValues[] = [];
  for (let control = 0; needs[`control${control}_0`] !== undefined; control++) {
    for (let seed = 0; needs[`control${control}_${seed}`] !== undefined; seed++) {
      controls.push(await need(`control${control}_${seed}`));
    }
  }
  return controls;
}
