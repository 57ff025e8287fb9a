import { table as arqueroTable } from "arquero";
import { formatDifference, formatPValue, formatValue } from "../_format.ts";
import { markdownTable } from "../_markdown_table.ts";
import {
  isReversed,
  type JudgedClaim,
  type JudgedTest,
  type Ledger,
  levelsText,
  type SweptVerdict,
} from "./ledger.ts";

/** claims.json: the ledger as it is, numbers in full. */
export function ledgerJson(ledger: Ledger): string {
  return JSON.stringify(ledger, null, 2) + "\n";
}

/** claims.csv: one row for each test. */
export function ledgerCsv({ claims }: Ledger): string {
  const rows = claims.flatMap(({ id, verdict, tests }) =>
    tests.map((test) => ({
      claim: id,
      claim_verdict: verdict,
      experiment: test.experiment,
      measure: test.measure,
      factor: test.factor,
      level: test.level,
      against: test.against,
      where: levelsText(test.where),
      expected: test.expected,
      verdict: test.found?.verdict ?? "not run",
      effect: test.found?.effect ?? null,
      low: test.found?.low ?? null,
      high: test.found?.high ?? null,
      corrected_p_value: test.found?.correctedPValue ?? null,
      corrected_equivalence_p_value: test.found?.equivalencePValue ?? null,
      sweep: sweepText(test),
    }))
  );
  const names = Object.keys(rows[0]!) as (keyof typeof rows[0])[];
  return arqueroTable(
    Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])])),
  ).toCSV();
}

/** claims.md: the verdict of each claim, then its tests with what the sweeps say. */
export function ledgerMarkdown(ledger: Ledger): string {
  return [`# Claims of the paper, profile ${ledger.profile}`, ...ledgerBlocks(ledger)]
    .join("\n\n") + "\n";
}

/** The ledger in blocks of markdown. */
export function ledgerBlocks({ claims, read }: Ledger): string[] {
  const stale = read.filter((source) => source.stale).map(({ experiment }) => experiment);
  return [
    markdownTable([
      ["Claim", "paper", "verdict"],
      ...claims.map(({ text, paper, verdict }) => [text, paper, verdict]),
    ]),
    `A claim holds where every test says what is expected, fails where none does and one says something ` +
    `else, holds in part where some do; undecided is no evidence either way. Effects are pooled over ` +
    `the backbones of the result; intervals resample concepts and seeds; p-values are Holm's within ` +
    `the result and over all tests of this page, the larger one.`,
    ...stale.length === 0 ? [] : [`Stale, made by another plan than today's: ${stale.join(", ")}.`],
    ...claims.flatMap((claim) => [`### ${claim.text}`, testsTable(claim)]),
  ];
}

function testsTable({ tests }: JudgedClaim): string {
  return markdownTable([
    ["Test", "expected", "effect", "p", "verdict", "over sweeps"],
    ...tests.map((test) => [
      testTitle(test),
      test.expected,
      test.found === null ? "not run" : effectText(test.found),
      test.found === null ? "" : pText(test),
      test.found?.verdict ?? "",
      sweepText(test),
    ]),
  ]);
}

function testTitle({ experiment, measure, level, against, where }: JudgedTest): string {
  const at = levelsText(where);
  return `${experiment}, ${measure}: ${level} − ${against}${at === "" ? "" : ` at ${at}`}`;
}

/** "+2.18 [1.51, 2.90]". */
export function effectText(
  { effect, low, high }: Pick<SweptVerdict, "effect" | "low" | "high">,
): string {
  return `${formatDifference(effect)} [${formatValue(low)}, ${formatValue(high)}]`;
}

function pText({ found }: JudgedTest): string {
  const { correctedPValue, equivalencePValue, verdict } = found!;
  return verdict === "equivalent"
    ? `${formatPValue(equivalencePValue!)} of equivalence`
    : formatPValue(correctedPValue);
}

/**
 * What each sweep says: the range of the effects, at how many levels the test comes out as expected,
 * and the levels that reverse it.
 */
function sweepText(test: JudgedTest): string {
  const bySweep = Map.groupBy(test.swept, ({ experiment }) => experiment);
  return [...bySweep].map(([experiment, verdicts]) => {
    const effects = verdicts.map(({ effect }) => effect);
    const range = [Math.min(...effects), Math.max(...effects)].map(formatDifference).join(" to ");
    const holds = verdicts.filter(({ verdict }) => verdict === test.expected).length;
    const reversed = verdicts.filter(({ verdict }) => isReversed(test, verdict));
    const turns = reversed.map(({ at }) => levelsText(at)).join("; ");
    return `${experiment}: ${test.expected} at ${holds} of ${verdicts.length} (${range})` +
      (turns === "" ? "" : `, reversed at ${turns}`);
  }).join(". ");
}

/** The claims in lines of a terminal: verdict and text, then its tests. */
export function ledgerLines({ claims }: Ledger): string[] {
  return claims.flatMap(({ text, verdict, tests }) => [
    `${verdict.padEnd(9)} ${text}`,
    ...tests.map((test) => {
      const { found } = test;
      const what = found === null
        ? "not run"
        : `${found.verdict} ${effectText(found)}, ${pText(test)}`;
      const sweeps = sweepText(test);
      return `          ${testTitle(test)}: ${what}${sweeps === "" ? "" : ` | ${sweeps}`}`;
    }),
  ]);
}

/**
 * docs/findings.md: an introduction, the ledger, and the reasons; in both texts `{{claim n}}` stands for
 * the effect of the nth test of a claim.
 *
 * @throws {RangeError} when a text names a test that there is not.
 */
export function findings(
  ledger: Ledger,
  { introduction, reasons }: { readonly introduction: string; readonly reasons: string },
): string {
  return [
    filled(introduction, ledger).trim(),
    "## The paper's claims",
    ...ledgerBlocks(ledger),
    filled(reasons, ledger).trim(),
  ].join("\n\n") + "\n";
}

function filled(text: string, { claims }: Ledger): string {
  return text.replaceAll(/\{\{(\w+) (\d+)\}\}/g, (mark, id: string, number: string) => {
    const test = claims.find((claim) => claim.id === id)?.tests[Number(number) - 1];
    if (test === undefined) throw new RangeError(`The text names ${mark}, which is no test.`);
    return test.found === null ? "not run" : effectText(test.found);
  });
}
