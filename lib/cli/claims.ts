import { buildCommand } from "@stricli/core";
import { join, relative } from "node:path";
import { claimsSchema, loadConfig } from "../config/mod.ts";
import { fileHash, readText, sha256, UserError, writeFileAtomically } from "../files/mod.ts";
import { experimentIds, resultFolder } from "../pipeline/mod.ts";
import {
  findings,
  judgeClaims,
  type Ledger,
  ledgerCsv,
  ledgerJson,
  ledgerLines,
  ledgerMarkdown,
  type LedgerSource,
  readContrastsJson,
} from "../report/mod.ts";
import { recordedTargets, sameKeys, targetsToday } from "./_recorded_targets.ts";
import type { CliContext } from "./context.ts";
import { planFlags } from "./plan_flags.ts";

interface ClaimsFlags {
  readonly profile: string;
  readonly json: boolean;
  readonly findings: boolean;
  readonly check: boolean;
}

/** `claims`: judges the paper's claims by the results that a profile has. */
export const claimsCommand = buildCommand<ClaimsFlags, [], CliContext>({
  docs: {
    brief: "Judge the paper's claims by the results of a profile",
    fullDescription: [
      "Reads the contrasts of results/<profile>/ and computes nothing else; a claim whose",
      "experiment was not run is said to be not run. Writes results/<profile>/claims/.",
      "",
      "Examples:",
      "  deno task claims",
      "  deno task claims --json",
      "  deno task claims --findings",
      "  deno task claims --check",
    ].join("\n"),
  },
  parameters: {
    flags: {
      profile: planFlags.profile,
      json: { kind: "boolean", brief: "Print JSON", default: false },
      findings: {
        kind: "boolean",
        brief: "Write docs/findings.md from the ledger and docs/findings/",
        default: false,
      },
      check: {
        kind: "boolean",
        brief: "Fail unless docs/findings.md says what --findings would write",
        default: false,
      },
    },
  },
  func: async function (flags) {
    const { root, process: { stdout, stderr } } = this;
    const ledger = await ledgerOf(this, flags.profile);
    const folder = join(root, "results", flags.profile, "claims");
    const files = {
      "claims.md": ledgerMarkdown(ledger),
      "claims.csv": ledgerCsv(ledger),
      "claims.json": ledgerJson(ledger),
    };
    for (const [name, text] of Object.entries(files)) await write(join(folder, name), text);
    stdout.write(flags.json ? files["claims.json"] : `${ledgerLines(ledger).join("\n")}\n`);
    const stale = ledger.read.filter((source) => source.stale);
    if (stale.length > 0) {
      stderr.write(
        `Stale, made by another plan than today's: ${
          stale.map(({ experiment }) => experiment).join(", ")
        }. Reproduce them again.\n`,
      );
    }
    if (flags.findings || flags.check) await findingsPage(this, ledger, flags);
    if (flags.json) return;
    for (const name of Object.keys(files)) {
      stdout.write(`Wrote ${relative(root, join(folder, name))}\n`);
    }
  },
});

const write = (path: string, text: string) =>
  writeFileAtomically(path, new TextEncoder().encode(text));

/** Judges the claims by every result of a profile that has contrasts. */
async function ledgerOf(context: CliContext, profile: string): Promise<Ledger> {
  const { root } = context;
  const claims = await loadConfig(join(root, "configs", "claims.json"), claimsSchema);
  const known = experimentIds(root);
  const unknown = claims.claims.flatMap(({ id, tests }) =>
    tests.map(({ experiment }) => ({ id, experiment }))
  ).find(({ experiment }) => !known.includes(experiment));
  if (unknown !== undefined) {
    throw new UserError(
      `configs/claims.json tests the claim "${unknown.id}" by "${unknown.experiment}", which is no ` +
        `experiment. Correct its name.`,
    );
  }
  const recorded = new Map<string, readonly string[]>();
  for (const id of known) {
    const targets = await recordedTargets(resultFolder(root, { profile, id }));
    if (targets !== undefined) recorded.set(id, targets);
  }
  const today = recorded.size === 0
    ? new Map<string, readonly string[]>()
    : await targetsToday([...recorded.keys()], { ...context, profile });
  const sources: LedgerSource[] = [];
  for (const [experiment, targets] of recorded) {
    const folder = resultFolder(root, { profile, id: experiment });
    const read = await readSource(folder, experiment);
    if (read === undefined) continue;
    sources.push({ ...read, stale: !sameKeys(targets, today.get(experiment) ?? []) });
  }
  return judgeClaims(claims, { profile, sources });
}

/**
 * The contrasts of a result, and what vouches for them; undefined where it has none.
 *
 * @throws {UserError} when they are not those that the manifest records.
 */
async function readSource(
  folder: string,
  experiment: string,
): Promise<Omit<LedgerSource, "stale"> | undefined> {
  const manifest = join(folder, "manifest.json");
  const expected = JSON.parse(await readText(manifest))?.files?.["contrasts.json"];
  if (expected === undefined) return undefined;
  const path = join(folder, "contrasts.json");
  const text = await Deno.readTextFile(path).catch(() => "");
  const contrastsHash = sha256(new TextEncoder().encode(text));
  if (contrastsHash !== expected) {
    throw new UserError(
      `${path} is not what its manifest records. Run "deno task reproduce ${experiment}" again.`,
    );
  }
  const { contrasts, statistics: { confidence } } = readContrastsJson(text);
  return { experiment, manifest: await fileHash(manifest), contrastsHash, confidence, contrasts };
}

/** Writes docs/findings.md, or compares it with what would be written. */
async function findingsPage(
  { root, process: { stdout } }: CliContext,
  ledger: Ledger,
  { check }: Pick<ClaimsFlags, "check">,
): Promise<void> {
  const at = (name: string) => join(root, "docs", name);
  const page = findings(ledger, {
    introduction: await readText(at("findings/introduction.md")),
    reasons: await readText(at("findings/reasons.md")),
  });
  const path = at("findings.md");
  if (!check) {
    await write(path, page);
    stdout.write("Wrote docs/findings.md\n");
    return;
  }
  if (saysTheSame(await readText(path), page)) return;
  throw new UserError(
    `docs/findings.md is not what the results of the profile ${ledger.profile} say. Run ` +
      `"deno task claims --findings" and read what changed.`,
  );
}

/**
 * Whether two pages have the same words, and numbers that differ by no more than the rounding of another
 * machine may move them: 0.02 and 2 %.
 */
export function saysTheSame(page: string, other: string): boolean {
  const numbers = /[+-]?\d+(?:\.\d+)?/g;
  const [words, otherWords] = [page, other].map((text) => text.replaceAll(numbers, "0"));
  const [values, others] = [page, other].map((text) => (text.match(numbers) ?? []).map(Number));
  return words === otherWords &&
    values!.every((value, i) => Math.abs(value - others![i]!) <= 0.02 + 0.02 * Math.abs(value));
}
