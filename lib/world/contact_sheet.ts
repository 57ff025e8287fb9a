import { Buffer } from "node:buffer";
import sharp from "sharp";
import type { WorldConfig } from "../config/mod.ts";
import { brodenImages } from "./broden.ts";
import { worldClasses } from "./classes.ts";
import { worldConcepts } from "./concepts.ts";
import type { Factors } from "./factors.ts";
import { imageNetImages } from "./imagenet.ts";
import { renderImage } from "./render.ts";
import type { Random } from "../tensor/mod.ts";

const columns = 7;
const perCell = 2;
const caption = 15;
const gap = 6;

interface Cell {
  readonly title: string;
  readonly images: readonly { readonly factors: Factors; readonly random: Random }[];
}

/**
 * A PNG that shows the first two images of every concept of Broden, in the order of the label
 * numbers, and below them the first two training images of every class of ImageNet.
 */
export async function contactSheet(config: WorldConfig): Promise<Uint8Array> {
  const one = {
    ...config,
    broden: { ...config.broden, imagesPerConcept: perCell, mixedImages: 0 },
    imagenet: { ...config.imagenet, trainPerClass: perCell },
  };
  const single = brodenImages(one);
  const concepts = worldConcepts().map(({ name }, index): Cell => ({
    title: name,
    images: single.slice(index * perCell, (index + 1) * perCell),
  }));
  const training = imageNetImages(one, "train");
  const classes = worldClasses().map(({ name }, index): Cell => ({
    title: name.replace(/ with (a )?/, ", "),
    images: training.slice(index * perCell, (index + 1) * perCell),
  }));
  return await drawCells([...concepts, ...classes], config.imageSize);
}

async function drawCells(cells: readonly Cell[], size: number): Promise<Uint8Array> {
  const width = perCell * size + gap;
  const height = size + caption + gap;
  const rows = Math.ceil(cells.length / columns);
  const titles: string[] = [];
  const layers = cells.flatMap(({ title, images }, index) => {
    const left = (index % columns) * width;
    const top = Math.floor(index / columns) * height;
    titles.push(`<text x="${left + 1}" y="${top + caption - 4}">${title}</text>`);
    return images.map(({ factors, random }, image) => ({
      input: Buffer.from(renderImage(factors, { random, size }).data),
      raw: { width: size, height: size, channels: 3 as const },
      left: left + image * size,
      top: top + caption,
    }));
  });
  const sheet = { width: columns * width - gap, height: rows * height - gap };
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${sheet.width}" ` +
    `height="${sheet.height}" font-family="sans-serif" font-size="8.5">${titles.join("")}</svg>`;
  return await sharp({ create: { ...sheet, channels: 3, background: "white" } })
    .composite([...layers, { input: Buffer.from(text) }])
    .png({ palette: true, colours: 96, dither: 0, compressionLevel: 9, effort: 10 })
    .toBuffer();
}
