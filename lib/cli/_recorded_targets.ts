import { join } from "node:path";
import { buildPlan, targetsOf } from "../pipeline/mod.ts";
import { openDigests } from "../store/mod.ts";
import type { CliContext } from "./context.ts";

/**
 * The keys of the stages that a result was made of, none where its manifest is damaged, or
 * `undefined` when there is no result.
 */
export async function recordedTargets(folder: string): Promise<readonly string[] | undefined> {
  try {
    const manifest = JSON.parse(await Deno.readTextFile(join(folder, "manifest.json")));
    return Array.isArray(manifest?.targets) ? manifest.targets : [];
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return undefined;
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** The keys of every stage that the result of a manifest was made of; none where it is damaged. */
export async function recordedStages(manifest: string): Promise<readonly string[]> {
  try {
    return Object.keys(JSON.parse(await Deno.readTextFile(manifest))?.stages ?? {});
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Whether two lists hold the same keys. */
export function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  const [first, second] = [new Set(a), new Set(b)];
  return first.size === second.size && first.isSubsetOf(second);
}

/** The keys that the result of each experiment would be made of today; of one that can be planned. */
export async function targetsToday(
  experiments: readonly string[],
  { root, storeRoot, profile }: Pick<CliContext, "root" | "storeRoot"> & {
    readonly profile: string;
  },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const plan = await buildPlan(
    { root, profile, experiments, engine: "ort", device: "cpu" },
    { digests: openDigests(storeRoot), onUnavailable: () => {} },
  );
  return new Map(plan.experiments.map((one) => [one.experiment.id, targetsOf([one])]));
}
