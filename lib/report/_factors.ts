import type { Plain } from "../config/mod.ts";
import type { Level, Levels, Show } from "../experiment/mod.ts";
import type { Heading, LevelTitle, ResultSpec, TitledFactor } from "./result_spec.ts";

/** The factors whose combinations are the rows; a gallery has a row for each cell. */
export function rowFactors(show: Plain<Show>): readonly string[] {
  if (show.as === "gallery") return [];
  return show.as === "table" ? show.rows : [...show.panels, ...show.series];
}

/** The factors whose combinations are the columns. */
export function columnFactors(show: Plain<Show>): readonly string[] {
  return show.as === "table" ? show.columns : show.as === "lines" ? [show.x] : [];
}

/** All factors that a result shows, those of the rows first. */
export function shownFactors(show: Plain<Show>): readonly string[] {
  return [...rowFactors(show), ...columnFactors(show)];
}

/** The factor whose levels are compared with each other; null where there is nothing to compare. */
export function comparedFactor(
  { show, factors }: Pick<ResultSpec, "show" | "factors">,
): string | null {
  if (show.as === "histogram" || show.as === "gallery") return null;
  if (show.as === "table" && show.statistic === "std") return null;
  const factor = show.compare ?? rowFactors(show).at(-1)!;
  const fixed = fixedFactors({ factors }).some(({ name }) => name === factor);
  return fixed || factor === "measure" ? null : factor;
}

/** The level that those after it are compared with, where there is a control. */
export function controlOf({ show }: Pick<ResultSpec, "show">): Level | undefined {
  return show.as === "table" || show.as === "lines" ? show.against : undefined;
}

/** The shown factors, rows before columns, that have more than one level. */
export function varyingFactors({ show, factors }: Pick<ResultSpec, "show" | "factors">): string[] {
  const fixed = fixedFactors({ factors }).map(({ name }) => name);
  return shownFactors(show).filter((name) => !fixed.includes(name));
}

/** A factor by its name. */
export function factorOf({ factors }: Pick<ResultSpec, "factors">, name: string): TitledFactor {
  return factors.find((factor) => factor.name === name)!;
}

/** The title of a factor within a sentence: "VL model", but "method". */
export function nounOf(result: Pick<ResultSpec, "factors">, name: string): string {
  const { title } = factorOf(result, name);
  return /^.[A-Z]/.test(title) ? title : title[0]!.toLowerCase() + title.slice(1);
}

/** The titles of the levels of some factors, joined. */
export function headingTitle(
  levels: Levels,
  { names, factors }: {
    readonly names: readonly string[];
    readonly factors: readonly TitledFactor[];
  },
): LevelTitle {
  const titles = names.map((name) => levelTitle(name, { levels, factors }));
  return {
    title: titles.map(({ title }) => title).join(", "),
    short: titles.map(({ short }) => short).join(", "),
  };
}

function levelTitle(
  name: string,
  { levels, factors }: { readonly levels: Levels; readonly factors: readonly TitledFactor[] },
): LevelTitle {
  const { title, short, mark } = factors.find((factor) => factor.name === name)!.levels
    .find(({ level }) => level === levels[name])!;
  return mark === undefined
    ? { title, short }
    : { title: `${title} (${mark})`, short: `${short} (${mark})` };
}

/** The factors that have one level and so are the same in every cell, seeds apart. */
export function fixedFactors({ factors }: Pick<ResultSpec, "factors">): readonly TitledFactor[] {
  return factors.filter(({ name, levels }) => levels.length === 1 && name !== "seed");
}

/** Every factor's level of a cell, `measure` among them, seeds apart. */
export function cellLevels(
  spec: Pick<ResultSpec, "factors">,
  headings: readonly Heading[],
): Levels {
  const fixed = fixedFactors(spec).map(({ name, levels }) => [name, levels[0]!.level] as const);
  return Object.assign(Object.fromEntries(fixed), ...headings.map(({ levels }) => levels));
}
