import { join } from "node:path";
import {
  builtBackboneSchema,
  datasetSchema,
  hubModelSchema,
  loadConfig,
  type SourcesConfig,
  sourcesSchema,
} from "../config/mod.ts";
import type { Hashes } from "./_hashes.ts";

/** How a source is got. */
export type Origin =
  | { readonly kind: "file"; readonly url: string; readonly hashes: Hashes }
  | {
    /** One file in a zip; the hashes are those of the file. */
    readonly kind: "zipped";
    readonly url: string;
    readonly entry: string;
    readonly hashes: Hashes;
  }
  | {
    readonly kind: "archive";
    readonly url: string;
    readonly format: "zip" | "tgz";
    /** The folder in the archive that becomes the source's folder. */
    readonly folder: string;
    /** Of the archive. */
    readonly hashes: Hashes;
  }
  | {
    readonly kind: "hub";
    /** Address of the hub. */
    readonly hub: string;
    readonly id: string;
    /** A commit, or "main", which is resolved to its commit when fetched. */
    readonly revision: string;
    readonly files: readonly string[];
  }
  | { readonly kind: "manual"; readonly how: string };

/** Something that the paper profile needs and that is not in the repository. */
export interface Source {
  readonly name: string;
  /** Of which dataset it is a part, and which split; absent where it is all that its name says. */
  readonly part?: { readonly dataset: string; readonly split?: string | undefined };
  /** The tables and figures of the paper that need it. */
  readonly neededBy: readonly string[];
  readonly licence: string;
  /** Approximate size of the download in millions of bytes. */
  readonly megabytes: number;
  /** Its file or folder below the data folder. */
  readonly path: string;
  /** What the folder must hold to be it, any of several names divided by " or "; empty for a file. */
  readonly markers: readonly string[];
  readonly origin: Origin;
}

/**
 * Every source, from configs/sources.json and the configs of the backbones, datasets and VL models
 * that it names, in that order.
 *
 * @throws {UserError} when a config is missing or malformed.
 */
export async function readSources(configs: string): Promise<readonly Source[]> {
  const config = await loadConfig(join(configs, "sources.json"), sourcesSchema);
  const collect = async <T>(
    entries: Readonly<Record<string, T>>,
    read: (name: string, entry: T) => Promise<Source>,
  ) => await Promise.all(Object.entries(entries).map(([name, entry]) => read(name, entry)));
  return [
    ...await collect(config.datasets, (name, entry) => dataset(configs, { name, entry })),
    ...await collect(config.weights, (name, entry) => weights(configs, { name, entry })),
    ...await collect(
      config.models,
      (name, entry) => model(configs, { name, entry, hub: config.hub }),
    ),
  ];
}

/** Something that is read under a name of configs/: a dataset, a backbone's weights, a hub model. */
export interface Need {
  readonly name: string;
  /** The splits of a dataset that are read; all when absent. */
  readonly splits?: readonly string[];
}

/** The sources of what is needed, in their order. What no source gives is the user's own. */
export function sourcesNeeded(
  sources: readonly Source[],
  needs: readonly Need[],
): readonly Source[] {
  return sources.filter(({ name, part }) =>
    needs.some((need) =>
      need.name === (part?.dataset ?? name) &&
      (part?.split === undefined || (need.splits?.includes(part.split) ?? true))
    )
  );
}

interface Named<T> {
  readonly name: string;
  readonly entry: T;
}

async function dataset(
  configs: string,
  { name, entry }: Named<SourcesConfig["datasets"][string]>,
): Promise<Source> {
  const of = "part" in entry ? entry.part.dataset : name;
  const { archives, layout } = await loadConfig(
    join(configs, "datasets", `${of}.json`),
    datasetSchema,
  );
  const { neededBy, licence, megabytes, path } = entry;
  const common = { name, neededBy, licence, megabytes, path };
  if ("part" in entry) {
    const { part: { split, archive }, markers } = entry;
    const md5 = archives.find(({ file }) => file === archive)?.md5;
    const how = entry.how.replaceAll("{archive}", md5 ? `${archive} (MD5 ${md5})` : archive);
    const part = { dataset: of, split };
    return { ...common, part, markers, origin: { kind: "manual", how } };
  }
  const { format, folder } = entry.unpack;
  const [archive] = archives;
  const [url, hashes] = [archive?.url ?? "", { md5: archive?.md5 }];
  return { ...common, markers: layout, origin: { kind: "archive", url, format, folder, hashes } };
}

async function weights(
  configs: string,
  { name, entry }: Named<SourcesConfig["weights"][string]>,
): Promise<Source> {
  const file = join(configs, "backbones", `${name}.json`);
  const { url, file: zipped, sha1, sha256Prefix } =
    (await loadConfig(file, builtBackboneSchema)).weights;
  const hashes = { sha1, sha256Prefix };
  return {
    name,
    ...entry,
    path: `weights/${name}.pth`,
    markers: [],
    origin: zipped === undefined
      ? { kind: "file", url, hashes }
      : { kind: "zipped", url, entry: zipped, hashes },
  };
}

async function model(
  configs: string,
  { name, entry, hub }: Named<SourcesConfig["models"][string]> & { readonly hub: string },
): Promise<Source> {
  const config = await loadConfig(join(configs, "vl", `${name}.json`), hubModelSchema);
  const id = "hub" in config ? config.hub : config.folder;
  const { neededBy, licence, megabytes, files } = entry;
  const common = { name, neededBy, licence, megabytes, path: `hub/${id}`, markers: files };
  if ("how" in entry) return { ...common, origin: { kind: "manual", how: entry.how } };
  return { ...common, origin: { kind: "hub", hub, id, revision: entry.revision, files } };
}
