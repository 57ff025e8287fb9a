import type { DatasetConfig } from "../config/mod.ts";
import { checkImages, type ImageSet } from "../images/mod.ts";
import type { DatasetFiles } from "./files_stage.ts";
import { artifactStage, jsonCodec, type Stage } from "./stage.ts";

/** Which images of a dataset take part. */
export interface ReadableImages {
  readonly indices: readonly number[];
  /** The images that were left out because they cannot be read, by name. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * The images of a dataset that can be read. Under the policy `fail` these are all: the first one
 * that cannot be read stops the run by its name. Under `skip` each is decoded once to find out.
 */
export function readableStage(
  files: Stage<DatasetFiles>,
  { of, policy, open }: {
    /** Names the dataset in the plan. */
    readonly of: string;
    readonly policy: DatasetConfig["unreadable"];
    readonly open: (folder: string) => Promise<ImageSet>;
  },
): Stage<ReadableImages> {
  return artifactStage({
    id: `readable images ${of}`,
    stage: "readable",
    version: 1,
    inputs: { of, policy },
    needs: [files],
    work: policy === "skip" ? "decodes every image once" : "lists the images",
    codec: jsonCodec(),
    compute: async ({ valueOf, onProgress }) => {
      const images = await open((await valueOf(files)).folder);
      const all = images.ids.map((_, index) => index);
      if (policy === "fail") return { indices: all, unreadable: [] };
      let done = 0;
      const { readable, unreadable } = await checkImages(images, all, {
        unreadable: policy,
        onImage: () => onProgress(++done, all.length),
      });
      return { indices: [...readable], unreadable };
    },
  });
}
