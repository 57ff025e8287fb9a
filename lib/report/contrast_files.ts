import { table as arqueroTable } from "arquero";
import type { Contrast } from "./contrasts.ts";
import type { ResultTable } from "./result.ts";

/** The version of a contrasts.json; raised when a field changes its meaning. */
export const contrastsVersion = 1;

/** What a contrasts.json holds. */
export interface ContrastsFile extends Pick<ResultTable, "id" | "profile" | "statistics"> {
  readonly schema: "lg-cav/contrasts";
  readonly version: typeof contrastsVersion;
  readonly contrasts: readonly Contrast[];
}

/** contrasts.json: every contrast of a table, numbers in full. */
export function contrastsJson({ id, profile, statistics, tested = [] }: ResultTable): string {
  const file: ContrastsFile = {
    schema: "lg-cav/contrasts",
    version: contrastsVersion,
    id,
    profile,
    statistics,
    contrasts: tested,
  };
  return JSON.stringify(file, null, 2) + "\n";
}

/**
 * The contrasts in the text of a contrasts.json.
 *
 * @throws {TypeError} when the text is of another schema or version.
 */
export function readContrastsJson(text: string): ContrastsFile {
  const file = JSON.parse(text);
  if (file.schema === "lg-cav/contrasts" && file.version === contrastsVersion) return file;
  throw new TypeError(
    `Reading contrasts.json: it is ${file.schema} version ${file.version}, this program reads ` +
      `lg-cav/contrasts version ${contrastsVersion}; reproduce the result again.`,
  );
}

/** contrasts.csv: one row for each contrast; an empty field where there is nothing. */
export function contrastsCsv({ tested = [] }: ResultTable): string {
  const names = [...new Set(tested.flatMap(({ levels }) => Object.keys(levels)))];
  const rows = tested.map((contrast) => ({
    factor: contrast.factor,
    level: contrast.level,
    against: contrast.against,
    ...Object.fromEntries(names.map((name) => [name, contrast.levels[name] ?? null])),
    pooled_over: contrast.pooledOver?.join(" ") ?? null,
    cells: contrast.cells,
    concepts: contrast.concepts,
    seeds: contrast.seeds,
    effect: contrast.effect,
    low: contrast.low,
    high: contrast.high,
    p_value: contrast.pValue,
    corrected_p_value: contrast.correctedPValue,
    margin: contrast.equivalence?.margin ?? null,
    equivalence_p_value: contrast.equivalence?.pValue ?? null,
    corrected_equivalence_p_value: contrast.equivalence?.correctedPValue ?? null,
    verdict: contrast.verdict,
    concept_variance: contrast.variance.concept,
    seed_variance: contrast.variance.seed,
    residual_variance: contrast.variance.residual,
    seeds_to_settle: contrast.toSettle?.seeds ?? null,
    concepts_to_settle: contrast.toSettle?.concepts ?? null,
  }));
  const columns = Object.keys(rows[0] ?? {}) as (keyof typeof rows[0])[];
  return arqueroTable(
    Object.fromEntries(columns.map((name) => [name, rows.map((row) => row[name])])),
  ).toCSV();
}
