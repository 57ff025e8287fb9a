import type { ConceptTextFeatures, FeatureRows } from "../activations/mod.ts";
import type { Dials, Settings } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import type { CellParts, Known } from "./_planning.ts";
import type { Rendering } from "./plan_images.ts";
import type { Stage } from "./stage.ts";
import { centredKind, mismatchedKind, perturbedTextKind } from "./stages/mod.ts";

/** The dials of a cell that are not at 0, or at "all", where nothing is done. */
export function dialsOf({ dials = {} }: Pick<Settings, "dials">): Dials {
  const isOff = (level: unknown) => level === 0 || level === "all";
  return Object.fromEntries(Object.entries(dials).filter(([, level]) => !isOff(level)));
}

/** What dials change of a dataset of concepts and of its probe pool. */
export interface DataDials {
  /** For people and for telling datasets apart: the dials with their levels, or "". */
  readonly name: string;
  /** Of the concepts' images, which are rendered with it. */
  readonly own: Rendering;
  /** Of the other images of the probe pool. */
  readonly pool: Rendering;
  readonly apart: boolean;
  /** Whether negatives truly have not got the concept. */
  readonly clean: boolean;
}

/** The dials of a cell's images. */
export function dataDialsOf(settings: Pick<Settings, "dials" | "negatives">): DataDials {
  const { coOccurrence, variety, probeShift: shift, probePool } = dialsOf(settings);
  const own = {
    ...(coOccurrence !== undefined && { coOccurrence }),
    ...(variety !== undefined && { variety }),
  };
  const pool = { ...(shift !== undefined && { shift }) };
  const apart = probePool === "apart";
  const clean = settings.negatives === "clean";
  const words = [...apart ? [["probes", "apart"]] : [], ...clean ? [["negatives", "clean"]] : []];
  const name = [...Object.entries({ ...own, ...pool }), ...words]
    .map(([dial, level]) => `${dial} ${level}`).join(" ");
  return { name, own, pool, apart, clean };
}

/** Refuses dials of cells whose dataset has classes: what they change is about labelled concepts. */
export function requireNoDials({ settings }: { readonly settings: Settings }, known: Known): void {
  const [name] = Object.keys(dialsOf(settings));
  if (name === undefined) return;
  throw new UserError(
    `Experiment ${known.experiment.id} sets "dials.${name}", which is a dial of datasets of ` +
      `concepts. Name one, such as broden, as the factor "dataset", or leave the dial out.`,
  );
}

/** Text features as the dials have them: the model's own where they are off. */
export function planDialText(
  text: Stage<ConceptTextFeatures>,
  { cell, data, templates }: Pick<CellParts, "cell" | "data"> & {
    /** The plain one, then those of the ensemble. */
    readonly templates: readonly string[];
  },
  { graph }: Known,
): Stage<ConceptTextFeatures> {
  const { polysemy, centring, promptDispersion: level, ...dials } = dialsOf(cell.settings);
  const { promptZipf: zipf = 0, promptStyle: style = 0 } = dials;
  const changes = {
    ...(polysemy !== undefined && { polysemy }),
    ...(centring !== undefined && { centring }),
    ...(level !== undefined && { dispersion: { level, zipf, style } }),
  };
  if (Object.keys(changes).length === 0) return text;
  return graph.stage(perturbedTextKind, {
    id: `${text.id} ${JSON.stringify(changes).replaceAll(/[{}":,]+/g, " ").trim()}`,
    inputs: { templates, ...changes },
    needs: { concepts: data.concepts, text },
    how: null,
    work: "moves the features of texts",
  });
}

type VlRows = Readonly<Record<`vl${number}`, Stage<FeatureRows>>>;

/** VL features of images as the dials have them: the model's own where they are off. */
export function planDialRows(
  rows: VlRows,
  { cell: { settings } }: Pick<CellParts, "cell">,
  { graph }: Known,
): VlRows {
  const { captionError, centring } = dialsOf(settings);
  const ofEach = (
    all: VlRows,
    make: (stage: Stage<FeatureRows>, source: number) => Stage<FeatureRows>,
  ): VlRows =>
    Object.fromEntries(
      Object.entries(all).map(([role, stage], source) => [role, make(stage, source)]),
    );
  const centred = centring === undefined
    ? rows
    : ofEach(rows, (stage, source) =>
      graph.stage(centredKind, {
        id: `${stage.id} centring ${centring}`,
        inputs: { share: centring, source },
        needs: rows,
        how: null,
        work: "takes off the mean of the images",
      }));
  if (captionError === undefined) return centred;
  return ofEach(centred, (stage) =>
    graph.stage(mismatchedKind, {
      id: `${stage.id} caption error ${captionError}`,
      inputs: { share: captionError },
      needs: { rows: stage },
      how: null,
      work: "gives images the features of others",
    }));
}
