import { join } from "node:path";
import type { WorldConfig } from "../../config/mod.ts";
import { UserError } from "../../files/mod.ts";
import { type WorldDataset, writeWorld } from "../../world/mod.ts";
import { refOf, type StageKind } from "../stage.ts";

/** A dataset's files on disk. */
export interface DatasetFiles {
  /** The folder in the layout of the real dataset. */
  readonly folder: string;
}

/** What of the world one dataset depends on. */
interface WorldInputs {
  readonly dataset: WorldDataset;
  readonly seed: number;
  readonly imageSize: number;
  readonly sizes: WorldConfig[WorldDataset];
  /** What encodes the images. */
  readonly encoder: string;
}

/** A dataset of the embedded world, rendered into the store. */
export const worldKind: StageKind<
  Record<never, never>,
  WorldInputs,
  { readonly world: WorldConfig },
  DatasetFiles
> = {
  name: "world",
  version: 2,
  isStored: (node, store) => store.has(refOf(node)),
  load: async (node, store) => {
    const record = await store.openDirectory(refOf(node));
    const { dataset } = node.inputs as unknown as WorldInputs;
    return record && { folder: join(record.path, dataset) };
  },
  group: ({ key }) => key,
  run: async ([node], { store, onProgress }) => {
    const { inputs: { dataset }, how: { world } } = node!;
    await store.publishDirectory(
      refOf(node!),
      (path) => writeWorld(path, world, { datasets: [dataset], onProgress }),
    );
  },
};

/** A folder of the user's, identified by the content of what is read of it. */
export const folderKind: StageKind<
  Record<never, never>,
  { readonly dataset: string; readonly digest: string | null },
  { readonly folder: string },
  DatasetFiles
> = {
  name: "folder",
  version: 1,
  isStored: (node) => Promise.resolve(isThere(node)),
  load: (node) =>
    Promise.resolve(isThere(node) ? (node.how as { readonly folder: string }) : undefined),
  group: ({ key }) => key,
  run: ([node]) => {
    const { inputs: { dataset }, how: { folder } } = node!;
    return Promise.reject(new UserError(`${folder} has no files. Put ${dataset} there.`));
  },
};

function isThere({ inputs }: { readonly inputs: unknown }): boolean {
  return (inputs as { readonly digest: string | null }).digest !== null;
}
