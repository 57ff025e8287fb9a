import { join } from "node:path";
import { provenance } from "../config/mod.ts";
import { fileHash, sha256 } from "../files/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import type { StageRecord, Store } from "../store/mod.ts";
import { closure } from "./graph.ts";
import type { Plan } from "./plan.ts";
import { type PlannedExperiment, targetsOf } from "./plan_experiment.ts";
import type { PlannedEngine } from "./plan_request.ts";
import { refOf } from "./stage.ts";
import type { ReadableImages } from "./stages/mod.ts";

/** What traces a result back to everything that made it; manifest.json. */
export interface Manifest {
  readonly schema: "lg-cav/manifest";
  readonly version: 2;
  readonly id: string;
  readonly profile: string;
  readonly engine: PlannedEngine;
  /** Every hyper-parameter with its source: a place in the paper, or `assumed`. */
  readonly values: readonly {
    readonly file: string;
    readonly path: string;
    readonly value: unknown;
    readonly source: string;
  }[];
  /** The configs as they were used, by file. */
  readonly configs: Readonly<Record<string, unknown>>;
  /** What identifies each model: its sizes and the SHA-256 of its weights. */
  readonly models: Readonly<Record<string, unknown>>;
  /** Images that were left out because they cannot be read, by dataset. */
  readonly unreadable: Readonly<Record<string, ReadableImages["unreadable"]>>;
  /** What a user should know of the values of stages, in sentences. */
  readonly remarks: readonly string[];
  /** Every stage by its key: the hash of all that its value depends on. */
  readonly stages: Readonly<
    Record<string, { readonly id: string; readonly needs: readonly string[] }>
  >;
  /** The keys of the stages that the runs come from. */
  readonly targets: readonly string[];
  /** The code and what it ran on. */
  readonly code: {
    readonly commit: string | null;
    readonly uncommittedChanges: boolean | null;
    readonly runtime: string;
    readonly deno: string;
    readonly platform: string;
    /** SHA-256 of deno.lock, which fixes the version of every package. */
    readonly lock: string;
  };
  /** SHA-256 of every other file of the result. */
  readonly files: Readonly<Record<string, string>>;
  /** The only part that differs between equal runs. */
  readonly timings: {
    readonly started: string;
    readonly seconds: number;
    /** What each stage cost when it was computed, in this run or an earlier one, by key. */
    readonly stages: Readonly<Record<string, StageRecord>>;
  };
}

/** What a manifest says besides the plan. */
export interface ManifestOptions {
  readonly planned: PlannedExperiment;
  readonly unreadable: Manifest["unreadable"];
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly store: Store;
  readonly started: Date;
  readonly seconds: number;
}

/** The configs of an experiment and of its profile, by file. */
export function describeConfigs(
  { profile }: Pick<Plan, "profile">,
  { configs }: Pick<PlannedExperiment, "configs">,
): Readonly<Record<string, unknown>> {
  return { ...configs, [`configs/profiles/${profile.name}.json`]: profile };
}

/** Describes one result of a plan. */
export async function describeResult(
  { request, profile, engine, graph }: Plan,
  { planned, unreadable, files, store, started, seconds }: ManifestOptions,
): Promise<Manifest> {
  const { experiment, models } = planned;
  const all = describeConfigs({ profile }, planned);
  const targets = targetsOf([planned]);
  const nodes = closure(graph, targets);
  const records: Record<string, StageRecord> = {};
  for (const node of nodes) {
    const record = await store.readRecord(refOf(node));
    if (record !== undefined) records[node.key] = record;
  }
  return {
    schema: "lg-cav/manifest",
    version: 2,
    id: experiment.id,
    profile: profile.name,
    engine,
    values: Object.entries(all).flatMap(([file, config]) =>
      provenance(config).map((value) => ({ file, ...value }))
    ),
    configs: all,
    models,
    unreadable,
    remarks: [...new Set(Object.values(records).flatMap(({ remarks }) => remarks))].sort(),
    stages: Object.fromEntries(
      nodes.map(({ key, id, needs }) => [key, { id, needs: Object.values(needs) }]),
    ),
    targets,
    code: {
      ...await gitState(request.root),
      runtime: runtimeVersion,
      deno: Deno.version.deno,
      platform: Deno.build.target,
      lock: await fileHash(join(request.root, "deno.lock")),
    },
    files: Object.fromEntries([...files].map(([name, bytes]) => [name, sha256(bytes)])),
    timings: { started: started.toISOString(), seconds, stages: records },
  };
}
/** The commit and whether tracked files differ from it; nulls outside a git checkout. */
async function gitState(root: string) {
  const commit = await git(root, ["rev-parse", "HEAD"]);
  const changes = await git(root, [
    "status",
    "--porcelain",
    "--untracked-files=no",
    "--",
    ":!results",
  ]);
  return {
    commit: commit?.trim() ?? null,
    uncommittedChanges: changes === undefined ? null : changes !== "",
  };
}

async function git(root: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", root, ...args],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}
