import { drawShots, type Examples } from "../../concepts/mod.ts";
import { UserError } from "../../files/mod.ts";
import { artifactKind, jsonCodec } from "../stage.ts";
import type { DatasetFiles } from "./files.ts";
import { openImages, type ReadableImages } from "./images.ts";

/**
 * The labelled images of one word that a seed may learn from: positives of the folder of the word's
 * name, negatives of the other words' folders, as rows of the features of all that can be read.
 */
export const wordShotsKind = artifactKind<
  { readonly files: DatasetFiles; readonly readable: ReadableImages },
  { readonly word: string; readonly shots: number; readonly seed: number },
  null,
  Examples
>({
  name: "word_shots",
  version: 1,
  isCheck: true,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const { word, shots, seed } = node.inputs;
    const { folder } = await need(node, "files");
    const { ids } = await openImages({ format: "folder" }, { folder });
    const { indices } = await need(node, "readable");
    const positives: number[] = [];
    const negatives: number[] = [];
    for (const [row, index] of indices.entries()) {
      const [first] = ids[index]!.normalize("NFC").split("/");
      (first === word ? positives : negatives).push(row);
    }
    if (positives.length === 0) {
      throw new UserError(
        `${folder} has no folder "${word}" with images that can be read. Add one for each word, or ` +
          `leave --positives out.`,
      );
    }
    const concept = { name: word, phrase: word, category: "", positives, negatives };
    return drawShots(concept, { shots, seed });
  },
});
