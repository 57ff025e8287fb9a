import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Experiment, Profile } from "../config/mod.ts";
import { listSources, readSources, type SourceState } from "../sources/mod.ts";

/**
 * What an experiment needs under a profile and is not on this machine, each with how to get it. The
 * embedded world needs nothing.
 */
export async function missingSources(
  experiment: Experiment,
  { root, profile }: { readonly root: string; readonly profile: Profile },
): Promise<readonly SourceState[]> {
  const folders = Object.entries(profile.datasets).flatMap(([name, location]) =>
    "folder" in location && !existsSync(resolve(root, location.folder)) ? [name] : []
  );
  const needed = new Set([
    ...folders,
    ...(profile.scale === "real" ? experiment.backbones : []),
    profile.vlModel,
    ...("sentenceEncoder" in profile.pairs ? [profile.pairs.sentenceEncoder] : []),
  ]);
  const sources = await readSources(join(root, "configs"));
  const states = await listSources(sources.filter(({ name }) => needed.has(name)), {
    root: join(root, "data"),
  });
  return states.filter(({ state }) => state === "missing" || state === "partial");
}
