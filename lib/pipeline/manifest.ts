import { join } from "node:path";
import { provenance } from "../config/mod.ts";
import { fileHash, sha256 } from "../files/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import type { ConceptExperiment } from "./concept_experiment.ts";
import { allStages } from "./materialise.ts";
import type { Plan } from "./plan.ts";
import type { PlannedEngine } from "./plan_spec.ts";
import type { ReadableImages } from "./readable_stage.ts";

/** What traces a result back to everything that made it; manifest.json. */
export interface Manifest {
  readonly schema: "lg-cav/manifest";
  readonly version: 1;
  readonly id: string;
  readonly profile: string;
  readonly seeds: readonly number[];
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
  /** The key of every stage: the hash of its inputs. */
  readonly stages: Readonly<Record<string, string>>;
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
    /** Of the stages that ran; the others were in the store. */
    readonly stages: Readonly<Record<string, number>>;
  };
}

/** What a manifest says besides the plan. */
export interface ManifestOptions {
  readonly planned: ConceptExperiment;
  readonly unreadable: Manifest["unreadable"];
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly started: Date;
  readonly seconds: number;
  readonly stageSeconds: ReadonlyMap<string, number>;
}

/** Describes one result of a plan. */
export async function describeResult(
  { spec, profile, engine }: Plan,
  { planned, unreadable, files, started, seconds, stageSeconds }: ManifestOptions,
): Promise<Manifest> {
  const { experiment, configs, models, measurements } = planned;
  const all = { ...configs, [`configs/profiles/${profile.name}.json`]: profile };
  const stages = allStages([...measurements.values()]);
  return {
    schema: "lg-cav/manifest",
    version: 1,
    id: experiment.id,
    profile: profile.name,
    seeds: experiment.seeds.value,
    engine,
    values: Object.entries(all).flatMap(([file, config]) =>
      provenance(config).map((value) => ({ file, ...value }))
    ),
    configs: all,
    models,
    unreadable,
    stages: Object.fromEntries(stages.map(({ id, ref }) => [id, ref.key])),
    code: {
      ...await gitState(spec.root),
      runtime: runtimeVersion,
      deno: Deno.version.deno,
      platform: Deno.build.target,
      lock: await fileHash(join(spec.root, "deno.lock")),
    },
    files: Object.fromEntries([...files].map(([name, bytes]) => [name, sha256(bytes)])),
    timings: {
      started: started.toISOString(),
      seconds,
      stages: Object.fromEntries(
        stages.flatMap(({ id }) => stageSeconds.has(id) ? [[id, stageSeconds.get(id)!]] : []),
      ),
    },
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
