import { join, resolve } from "node:path";
import type { Profile, WorldConfig } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { writeWorld } from "../world/mod.ts";
import { sha256 } from "../files/mod.ts";
import type { PlanSpec } from "./plan_spec.ts";
import { type Stage, stageRef } from "./stage.ts";

/** A dataset's files on disk. */
export interface DatasetFiles {
  /** The folder in the layout of the real dataset. */
  readonly folder: string;
  /** The folder around it, where the world keeps what it knows about all of its datasets. */
  readonly around: string;
}

/** Raised whenever the world renders other bytes of the same config. */
const worldVersion = 1;

/** The stage that provides a dataset: rendered into the store, or the user's folder as it is. */
export async function filesStage(
  dataset: "broden" | "imagenet",
  { spec: { root }, profile, world }: {
    readonly spec: PlanSpec;
    readonly profile: Profile;
    readonly world: WorldConfig | undefined;
  },
): Promise<Stage<DatasetFiles>> {
  const location = profile.datasets[dataset];
  if (location === undefined) {
    throw new UserError(
      `configs/profiles/${profile.name}.json names no folder for the dataset ${dataset}. Add it.`,
    );
  }
  if ("folder" in location) return await folderStage(dataset, resolve(root, location.folder));
  if (world === undefined) throw new Error(`The world's config for ${dataset} was not read.`);
  const { seed, imageSize, [dataset]: sizes } = world;
  const inputs = { dataset, seed, imageSize, sizes: { ...sizes } };
  const ref = stageRef({ stage: "world", version: worldVersion, inputs, needs: [] });
  const filesIn = (path: string) => ({ folder: join(path, dataset), around: path });
  return {
    id: `world ${dataset}`,
    ref,
    needs: [],
    work: "renders the images",
    isStored: (store) => store.has(ref),
    load: async (store) => {
      const record = await store.openDirectory(ref);
      return record && filesIn(record.path);
    },
    run: async ({ store, onProgress }) => {
      const record = await store.publishDirectory(
        ref,
        (path) => writeWorld(path, world, { datasets: [dataset], onProgress }),
      );
      return filesIn(record.path);
    },
  };
}

/** A folder is identified by the path and size of its files, and read where it is. */
async function folderStage(dataset: string, folder: string): Promise<Stage<DatasetFiles>> {
  const listing = await listFiles(folder, "").catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  const files = { folder, around: folder };
  const there = listing.length > 0 ? files : undefined;
  return {
    id: `files ${dataset}`,
    ref: { stage: "files", key: sha256(listing.sort().join("\n")) },
    needs: [],
    work: `${listing.length} files in ${folder}`,
    isStored: () => Promise.resolve(there !== undefined),
    load: () => Promise.resolve(there),
    run: () => Promise.reject(new UserError(`${folder} has no files. Put ${dataset} there.`)),
  };
}

async function listFiles(root: string, folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(join(root, folder))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) files.push(...await listFiles(root, path));
    else files.push(`${path} ${(await Deno.stat(join(root, path))).size}`);
  }
  return files;
}
