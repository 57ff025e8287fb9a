import type { Claim, Claims, ClaimTest } from "../../config/mod.ts";
import { coreFactors, type Level, type Levels } from "../../experiment/mod.ts";
import { holm } from "../../metrics/mod.ts";
import { type Contrast, type Verdict, verdictOf } from "../contrasts.ts";

/** What is read of one result. */
export interface LedgerSource {
  readonly experiment: string;
  /** Hashes of the files that were read. */
  readonly manifest: string;
  readonly contrastsHash: string;
  /** Whether today's plan would make another result. */
  readonly stale: boolean;
  readonly confidence: number;
  readonly contrasts: readonly Contrast[];
}

/** The contrast of a test at one level of a sweep. */
export interface SweptVerdict {
  readonly experiment: string;
  /** The levels of the swept settings. */
  readonly at: Levels;
  readonly effect: number;
  readonly low: number;
  readonly high: number;
  /** Corrected within its own result. */
  readonly verdict: Verdict;
}

/** A test with what the results say. */
export interface JudgedTest extends ClaimTest {
  /** Null where it was not run. */
  readonly found: {
    readonly effect: number;
    readonly low: number;
    readonly high: number;
    /** The larger one of Holm's within the result and over the tests of the ledger. */
    readonly correctedPValue: number;
    /** The same of equivalence; null where no margin is stated. */
    readonly equivalencePValue: number | null;
    readonly verdict: Verdict;
  } | null;
  readonly swept: readonly SweptVerdict[];
}

/**
 * What becomes of a claim: it `holds` where every test says what is expected, `fails` where none does
 * and one says something else, holds `in part` where some do and some say something else; `undecided`
 * where none says something else; `not run` where a test is missing and those that are there do not
 * contradict it.
 */
export type ClaimVerdict = "holds" | "in part" | "fails" | "undecided" | "not run";

/** A claim with its tests and what becomes of it. */
export interface JudgedClaim extends Omit<Claim, "tests"> {
  readonly tests: readonly JudgedTest[];
  readonly verdict: ClaimVerdict;
}

/** Every claim, judged by the pooled contrasts of results; the text of claims.json holds it. */
export interface Ledger {
  readonly schema: "lg-cav/claims";
  readonly version: 1;
  readonly profile: string;
  /** The results that were read. */
  readonly read: readonly Omit<LedgerSource, "contrasts">[];
  readonly claims: readonly JudgedClaim[];
}

/** Judges the claims by the results that there are; a test without a contrast is not run. */
export function judgeClaims(
  { sweeps, claims }: Claims,
  { profile, sources }: { readonly profile: string; readonly sources: readonly LedgerSource[] },
): Ledger {
  const bySource = new Map(sources.map((source) => [source.experiment, source]));
  const found = claims.flatMap(({ tests }) =>
    tests.map((test) => ({ test, contrast: contrastOf(test, bySource.get(test.experiment)) }))
  );
  const measured = found.filter(({ contrast }) => contrast !== undefined);
  const corrected = holm(measured.map(({ contrast }) => contrast!.pValue));
  const margins = measured.filter(({ contrast }) => contrast!.equivalence !== null);
  const equivalences = holm(margins.map(({ contrast }) => contrast!.equivalence!.pValue));
  const swept = sources.filter(({ experiment }) =>
    sweeps.some((name) => matches(experiment, name))
  );
  const judge = (test: ClaimTest): JudgedTest => {
    const { contrast } = found.find((one) => one.test === test)!;
    const overSweeps = swept.filter(({ experiment }) => experiment !== test.experiment)
      .flatMap((source) => sweptVerdicts(test, source));
    if (contrast === undefined) return { ...test, found: null, swept: overSweeps };
    const at = (list: typeof found) => list.findIndex((one) => one.test === test);
    const correctedPValue = Math.max(contrast.correctedPValue, corrected[at(measured)]!);
    const equivalence = contrast.equivalence && {
      ...contrast.equivalence,
      correctedPValue: Math.max(
        contrast.equivalence.correctedPValue,
        equivalences[at(margins)]!,
      ),
    };
    const level = 1 - bySource.get(test.experiment)!.confidence;
    const { effect, low, high } = contrast;
    return {
      ...test,
      found: {
        effect,
        low,
        high,
        correctedPValue,
        equivalencePValue: equivalence?.correctedPValue ?? null,
        verdict: verdictOf({ low, high, correctedPValue, equivalence }, level),
      },
      swept: overSweeps,
    };
  };
  return {
    schema: "lg-cav/claims",
    version: 1,
    profile,
    read: sources.map(({ contrasts: _, ...about }) => about),
    claims: claims.map((claim) => {
      const tests = claim.tests.map(judge);
      return { ...claim, tests, verdict: claimVerdict(tests) };
    }),
  };
}

/** Whether a name is meant by a pattern, which may end with a `*`. */
function matches(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** The pooled contrasts of a test in a result; those of the two levels the other way round turned. */
function contrastsOf(
  { measure, factor, level, against, where }: ClaimTest,
  { contrasts }: LedgerSource,
): Contrast[] {
  return contrasts.flatMap((contrast) => {
    const isAt = contrast.factor === factor && contrast.pooledOver !== null &&
      contrast.levels["measure"] === measure &&
      Object.entries(where).every(([name, at]) => (contrast.levels[name] ?? at) === at);
    if (!isAt) return [];
    if (contrast.level === level && contrast.against === against) return [contrast];
    return contrast.level === against && contrast.against === level ? [turned(contrast)] : [];
  });
}

function contrastOf(test: ClaimTest, source: LedgerSource | undefined): Contrast | undefined {
  const all = source === undefined ? [] : contrastsOf(test, source);
  return all.length === 1 ? all[0] : undefined;
}

function turned(contrast: Contrast): Contrast {
  const { level, against, effect, low, high, verdict } = contrast;
  const opposite = { above: "below", below: "above" } as const;
  return {
    ...contrast,
    level: against,
    against: level,
    effect: -effect,
    low: -high,
    high: -low,
    verdict: verdict === "above" || verdict === "below" ? opposite[verdict] : verdict,
  };
}

/** The contrasts of a test at each level of the settings that a result sweeps. */
function sweptVerdicts(test: ClaimTest, source: LedgerSource): SweptVerdict[] {
  // A sweep has its own settings, but another layer or VL model would be another claim.
  const where = Object.fromEntries(
    Object.entries(test.where).filter(([name]) => coreFactors.includes(name as never)),
  );
  return contrastsOf({ ...test, where }, source).flatMap(
    ({ levels, effect, low, high, verdict }) => {
      const at = Object.entries(levels).filter(([name]) =>
        name !== "measure" && name !== test.factor && !coreFactors.includes(name as never)
      );
      return at.length === 0 ? [] : [{
        experiment: source.experiment,
        at: Object.fromEntries(at),
        effect,
        low,
        high,
        verdict,
      }];
    },
  );
}

function claimVerdict(tests: readonly JudgedTest[]): ClaimVerdict {
  const said = tests.map(({ found, expected }) =>
    found === null
      ? "not run"
      : found.verdict === expected
      ? "holds"
      : found.verdict === "undecided"
      ? "undecided"
      : "fails"
  );
  const has = (what: string) => said.includes(what as never);
  if (has("fails")) return has("holds") ? "in part" : "fails";
  if (has("not run")) return "not run";
  return has("undecided") ? "undecided" : "holds";
}

/** Whether a verdict says the opposite of what is expected. */
export function isReversed({ expected }: ClaimTest, verdict: Verdict): boolean {
  return (expected === "above" && verdict === "below") ||
    (expected === "below" && verdict === "above");
}

/** "shots 10, measure x": levels as text. */
export function levelsText(levels: Readonly<Record<string, Level>>): string {
  return Object.entries(levels).map(([name, level]) => `${name} ${level}`).join(", ");
}
