import { Buffer } from "node:buffer";
import sharp from "sharp";
import type { WorldConfig } from "../config/mod.ts";
import { interventionImages } from "./interventions.ts";
import { renderImage } from "./render.ts";

const caption = 15;
const gap = 6;

/**
 * A PNG that shows one context of each factor, the first: a row of its images, one for each value of
 * the factor, all else the same.
 */
export async function interventionSheet(
  config: Pick<WorldConfig, "seed" | "imageSize">,
): Promise<Uint8Array> {
  const { imageSize: size } = config;
  const rows = [
    ...Map.groupBy(
      interventionImages(config, { contexts: 1 }),
      ({ category }) => category,
    ).values(),
  ];
  const [width, height] = [size + gap, size + caption + gap];
  const titles: string[] = [];
  const layers = rows.flatMap((images, row) =>
    images.map(({ concept, factors, random }, column) => {
      const [left, top] = [column * width, row * height];
      titles.push(`<text x="${left + 1}" y="${top + caption - 4}">${concept}</text>`);
      return {
        input: Buffer.from(renderImage(factors, { random, size }).data),
        raw: { width: size, height: size, channels: 3 as const },
        left,
        top: top + caption,
      };
    })
  );
  const columns = Math.max(...rows.map(({ length }) => length));
  const sheet = { width: columns * width - gap, height: rows.length * height - gap };
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${sheet.width}" ` +
    `height="${sheet.height}" font-family="sans-serif" font-size="8.5">${titles.join("")}</svg>`;
  return await sharp({ create: { ...sheet, channels: 3, background: "white" } })
    .composite([...layers, { input: Buffer.from(text) }])
    .png({ compressionLevel: 9, effort: 10 })
    .toBuffer();
}
