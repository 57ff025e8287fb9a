import type { Run } from "../experiment/mod.ts";
import { foldContrasts } from "./contrasts.ts";
import { foldHistogram } from "./fold_histogram.ts";
import { foldTable } from "./fold_table.ts";
import { groupRuns } from "./_group_runs.ts";
import { type CellExhibit, foldGallery } from "./gallery/mod.ts";
import type { Result } from "./result.ts";
import type { ResultSpec } from "./result_spec.ts";

/**
 * Folds measured runs into what an experiment shows: a table, lines or histograms; with what cells
 * show besides them, a gallery.
 */
export function foldResult(
  runs: readonly Run[],
  spec: ResultSpec,
  { exhibits = [] }: { readonly exhibits?: readonly CellExhibit[] } = {},
): Result {
  if (spec.show.as === "gallery") return foldGallery({ runs, exhibits }, spec);
  if (spec.show.as === "histogram") return foldHistogram(runs, spec);
  const grouped = groupRuns(runs, spec);
  return {
    ...foldTable(runs, spec, { grouped }),
    tested: foldContrasts(runs, spec, { grouped }),
  };
}
