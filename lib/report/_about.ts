import { fixedFactors } from "./_factors.ts";
import type { Result } from "./result.ts";

/** What all numbers of a result share, in sentences: profile, factors of one level, seeds, unit. */
export function aboutResult(result: Result): string {
  const { profile, seeds, measures, reported } = result;
  const fixed = fixedFactors(result).filter(({ name }) => name !== "measure")
    .map(({ title, levels }) => `${title}: ${levels[0]!.title}.`);
  const units = new Set(measures.map(({ unit }) => unit));
  const unit = units.size === 1
    ? [`Unit: ${[...units][0]}.`]
    : measures.map(({ title, unit }) => `${title} in ${unit}.`);
  return [
    `Profile: ${profile}.`,
    ...fixed,
    `Seeds: ${seeds.length === 0 ? "none" : seeds.join(", ")}.`,
    ...unit,
    ...reported === undefined ? [] : [reported],
    `Every number here is measured unless it is marked.`,
  ].join(" ");
}
