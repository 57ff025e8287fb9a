import { float32, tableFromArrays, tableToIPC, utf8 } from "@uwdata/flechette";
import { highest } from "../metrics/mod.ts";
import type { Tensor } from "../tensor/mod.ts";

/** Activations of concepts on images, [images, concepts], with their names. */
export interface ImageScores {
  readonly images: readonly string[];
  readonly concepts: readonly string[];
  readonly activations: Tensor;
}

/** An image at one end of a concept. */
export interface EndImage {
  readonly concept: string;
  readonly end: "top" | "bottom";
  /** From 1. */
  readonly rank: number;
  readonly image: string;
  readonly activation: number;
}

/** Rows of a file that are written together. */
const rowsTogether = 1000;

/** scores.csv in pieces: one row an image, one column a concept (RFC 4180). */
export function* scoresCsv({ images, concepts, activations }: ImageScores): Generator<string> {
  yield `${["image", ...columnNames(concepts)].map(field).join(",")}\n`;
  for (let first = 0; first < images.length; first += rowsTogether) {
    const rows = images.slice(first, first + rowsTogether).map((image, i) => {
      const start = (first + i) * concepts.length;
      const values = activations.data.subarray(start, start + concepts.length);
      return `${[field(image), ...Array.from(values, String)].join(",")}\n`;
    });
    yield rows.join("");
  }
}

/** The same in the Arrow IPC file format; activations are float32. */
export function scoresArrow({ images, concepts, activations }: ImageScores): Uint8Array {
  const columns: Record<string, readonly string[] | Float32Array> = { image: images };
  for (const [c, name] of columnNames(concepts).entries()) {
    columns[name] = Float32Array.from(
      images,
      (_, i) => activations.data[i * concepts.length + c]!,
    );
  }
  const types = Object.fromEntries(
    Object.keys(columns).map((name) => [name, name === "image" ? utf8() : float32()]),
  );
  const bytes = tableToIPC(tableFromArrays(columns as never, { types }), { format: "file" });
  if (bytes === null) throw new Error("Writing scores.arrow gave no bytes.");
  return bytes;
}

/** The images that each concept activates most and least, `count` of each end at most. */
export function endImages(
  { images, concepts, activations }: ImageScores,
  { count }: { readonly count: number },
): EndImage[] {
  const most = Math.min(count, images.length);
  return concepts.flatMap((concept, c) => {
    const values = Float32Array.from(images, (_, i) => activations.data[i * concepts.length + c]!);
    const ends = { top: values, bottom: values.map((value) => -value) } as const;
    return (["top", "bottom"] as const).flatMap((end) =>
      highest(ends[end], most).map((at, index) => ({
        concept,
        end,
        rank: index + 1,
        image: images[at]!,
        activation: values[at]!,
      }))
    );
  });
}

/** top.csv: the images of both ends, concept by concept. */
export function endImagesCsv(ends: readonly EndImage[]): string {
  const rows = ends.map(({ concept, end, rank, image, activation }) =>
    [field(concept), end, rank, field(image), activation].join(",")
  );
  return `${["concept,end,rank,image,activation", ...rows].join("\n")}\n`;
}

/** Concepts as columns beside the one of the images. */
function columnNames(concepts: readonly string[]): string[] {
  return concepts.map((name) => name === "image" ? "image (concept)" : name);
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
