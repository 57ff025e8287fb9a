import { type Cell, type Experiment, factorLevels } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { type Measure, measureOf } from "../metrics/mod.ts";
import { makesCavs, readMethod, withHyperparameters } from "./_methods.ts";
import { planCavs } from "./_plan_cavs.ts";
import { type CellParts, type Known, once } from "./_planning.ts";
import type { PlannedConcepts } from "./plan_data.ts";
import type { Stage } from "./stage.ts";
import { UnavailableError } from "./unavailable_error.ts";
import {
  type Cavs,
  type ClassGradients,
  type ConceptClassPair,
  type ControlValues,
  controlValuesKind,
  type Measurement,
  measurePeersKind,
  significanceKind,
} from "./stages/mod.ts";

type MeasuredParts = CellParts & { readonly data: PlannedConcepts; readonly cavs: Stage<Cavs> };

/** The stage of a measure that holds a CAV against those of other seeds or concepts. */
export async function planPeerMeasure(
  name: Experiment["measures"][number],
  parts: MeasuredParts,
  known: Known,
): Promise<Stage<readonly Measurement[]>> {
  const { data, cavs, seed } = parts;
  const { over, version, title } = measureOf(name);
  const others = over === "seeds" ? seedsOf(known).filter((other) => other !== seed) : [];
  if (over === "seeds" && others.length === 0) {
    throw new UnavailableError(
      `Experiment ${known.experiment.id} measures ${name}, which compares the CAVs of several seeds, ` +
        `and has one. Name more as the factor "seed", or with --seeds.`,
    );
  }
  const needs: Record<`seed${number}`, Stage<Cavs>> = {};
  for (const [i, other] of others.entries()) {
    needs[`seed${i}`] = await planCavs(withLevels(parts, { seed: other }), known);
  }
  return known.graph.stage(measurePeersKind, {
    id: `${name} of ${cavs.id}`,
    inputs: { measure: name, version },
    needs: { concepts: data.concepts, cavs, ...needs },
    how: null,
    work: title.toLowerCase(),
  });
}

/** What the values of pairs are taken from. */
interface PairStages {
  readonly pairs: Stage<readonly ConceptClassPair[]>;
  readonly gradients: Stage<ClassGradients>;
  /** The stage of the values that are tested. */
  readonly values: Stage<readonly Measurement[]>;
}

/** The stage of the pairs that stand out from the controls that the settings name. */
export async function planSignificance(
  name: Experiment["measures"][number],
  parts: MeasuredParts,
  { known, pairs, gradients, values }: PairStages & { readonly known: Known },
): Promise<Stage<readonly Measurement[]>> {
  const { cell: { settings: { controls, falseDiscoveryRate } }, cavs } = parts;
  const measure = measureOf(name) as Extract<Measure, { readonly over: "significance" }>;
  if (controls === undefined || controls.length === 0 || falseDiscoveryRate === undefined) {
    throw new UserError(
      `Experiment ${known.experiment.id} measures ${name} and names no "controls", or no ` +
        `"falseDiscoveryRate", in its settings. Name both.`,
    );
  }
  const tested = measureOf(measure.of);
  const needs: Record<`control${number}_${number}`, Stage<ControlValues>> = {};
  for (const [c, control] of controls.entries()) {
    const method = await controlMethod(control, known);
    for (const [s, seed] of seedsOf(known).entries()) {
      const ofControl = await planCavs(
        { ...withLevels(parts, { method: control, seed }), method },
        known,
      );
      needs[`control${c}_${s}`] = known.graph.stage(controlValuesKind, {
        id: `${measure.of} at every class of ${ofControl.id}`,
        inputs: { measure: measure.of, version: tested.version },
        needs: { cavs: ofControl, pairs, gradients },
        how: null,
        work: tested.title.toLowerCase(),
      });
    }
  }
  return known.graph.stage(significanceKind, {
    id: `${name} of ${cavs.id}`,
    inputs: { version: measure.version, falseDiscoveryRate },
    needs: { pairs, gradients, values, ...needs },
    how: null,
    work: measure.title.toLowerCase(),
  });
}

/** The method of a control, at its own hyper-parameters whatever is swept. */
async function controlMethod(name: string, known: Known) {
  const config = await once(known.methods, name, (name) => readMethod(name, known));
  const levels = { method: name };
  const method = withHyperparameters(config, { levels, hyperparameters: {} } as unknown as Cell);
  if (makesCavs(method)) return method;
  throw new UserError(
    `Experiment ${known.experiment.id} names ${name} among its "controls", which makes no CAVs. Name ` +
      `methods of configs/methods.`,
  );
}

/** The parts of a cell that differs in some levels. */
function withLevels<P extends CellParts>(
  parts: P,
  levels: { readonly seed: number; readonly method?: string },
): P {
  const { cell } = parts;
  return {
    ...parts,
    seed: levels.seed,
    cell: { ...cell, levels: { ...cell.levels, ...levels } },
  };
}

function seedsOf({ experiment }: Known): number[] {
  return factorLevels(experiment).get("seed")!.map(Number);
}
