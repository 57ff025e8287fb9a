import type { Attention, Picture } from "../../experiment/mod.ts";
import { fullTitle } from "../_cells.ts";
import { fit, wrap } from "../_wrap.ts";
import type { GalleryCell, ResultGallery, ShownConcept } from "../result.ts";
import { greatestOf, heatPng } from "./_heat.ts";
import {
  attentionSentence,
  byImage,
  classNameIn,
  countsOf,
  formatGain,
  formatLogit,
  ruleOf,
  titledCells,
} from "./_words.ts";
import { escapeXml, pngAddress } from "./_xml.ts";

/** A drawing with its size in CSS pixels. */
export interface Svg {
  readonly width: number;
  readonly height: number;
  readonly text: string;
}

/** Something drawn, below what was drawn before it. */
interface Block {
  readonly width: number;
  readonly height: number;
  /** Its elements, as if it began at (0, 0). */
  readonly draw: readonly string[];
}

const margin = 24;
/** Sides of pictures, twice those of the world's, and the room for what is said beside them. */
const side = 128;
const gap = 10;
const labels = 220;

/**
 * figure.svg of a gallery: rows of pictures with their numbers, which are in it. It is written
 * here, so the same result gives the same bytes wherever it is made.
 */
export function gallerySvg(result: ResultGallery): Svg {
  const cells = titledCells(result).flatMap(({ title, cell }) => [
    ...title === "" ? [] : [heading(title)],
    ...cellBlocks(cell),
  ]);
  const width = Math.max(640, ...cells.map((block) => block.width)) + 2 * margin;
  const seeds = `${result.seeds.length} seed${result.seeds.length === 1 ? "" : "s"}`;
  const words = [`${result.profile} profile, ${seeds}.`, ruleOf(result), attentionSentence(result)]
    .filter((sentence) => sentence !== undefined).join(" ");
  const letters = Math.floor((width - 2 * margin) / 6.6);
  const blocks = [
    paragraph(wrap(fullTitle(result), Math.floor((width - 2 * margin) / 11)), {
      size: 17,
      line: 22,
    }),
    paragraph(wrap(words, letters), { size: 11.5, line: 16 }),
    ...cells,
  ];
  let y = margin;
  const drawn = blocks.map(({ height, draw }) => {
    const group = `<g transform="translate(${margin} ${y})">\n${draw.join("\n")}\n</g>`;
    y += height;
    return group;
  });
  const height = y + margin;
  const title = escapeXml(fullTitle(result));
  return {
    width,
    height,
    text:
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
      `height="${height}" font-family="DejaVu Sans, Verdana, sans-serif" fill="#202020" role="img">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${drawn.join("\n")}
</svg>
`,
  };
}

function cellBlocks(cell: GalleryCell): Block[] {
  const counts = paragraph(wrap(countsOf({ cell }), 96), { size: 11.5, line: 16 });
  if (cell.status === "not run") return [counts];
  if (cell.of === "corrections") {
    const rows = cell.corrected.map((image) => correctedRow(cell, image));
    return rows.length === 0 ? [counts] : [counts, correctedHead(), ...rows];
  }
  const { concepts, exhibit } = cell;
  const pictures = byImage(exhibit.pictures);
  const most = Math.max(0, ...concepts.map(({ most }) => most.length));
  return [
    counts,
    sideTitles([[labels, "most activated"], [startOfLeast(most), "least activated"]]),
    ...concepts.map((concept) => conceptRow(concept, { pictures, most })),
  ];
}

const startOfLeast = (most: number) => labels + most * (side + gap) + gap;

function conceptRow(
  concept: ShownConcept,
  { pictures, most }: {
    readonly pictures: ReadonlyMap<string, Picture>;
    readonly most: number;
  },
): Block {
  const namesOf = ({ className }: Picture) => wrap(className, 21).map((line) => fit(line, 22));
  const shown = [...concept.most, ...concept.least];
  const lines = Math.max(0, ...shown.map(({ image }) => namesOf(pictures.get(image)!).length));
  const hang = (shown: ShownConcept["most"], start: number) =>
    shown.map(({ image, value }, i) => {
      const picture = pictures.get(image)!;
      const own = picture.class === concept.class;
      const x = start + i * (side + gap);
      return [
        pictureElement(picture, x),
        ...own ? [frame(x)] : [],
        text(formatLogit(value), { x, y: side + 15, weight: "bold" }),
        ...namesOf(picture).map((line, at) => text(line, { x, y: side + 29 + 12 * at, size: 10 })),
      ].join("\n");
    });
  const name = wrap(concept.name, 24);
  const words = concept.text === concept.name ? [] : wrap(concept.text, 32).slice(0, 6);
  const least = startOfLeast(most);
  return {
    width: least + concept.least.length * (side + gap),
    height: Math.max(
      side + 34 + 12 * lines,
      24 + 17 * name.length + 14 * words.length,
    ),
    draw: [
      ...name.map((line, i) => text(line, { x: 0, y: 13 + 17 * i, size: 13, weight: "bold" })),
      ...words.map((line, i) =>
        text(line, { x: 0, y: 13 + 17 * name.length + 14 * i, size: 10.5 })
      ),
      ...hang(concept.most, labels),
      ...hang(concept.least, least),
    ],
  };
}

/** Where the columns of a corrected image begin: the image, its class before and after, the other. */
const columns = [0, 1, 2, 3, 4].map((column) =>
  labels + column * (side + gap) + gap * Math.ceil(column / 2)
);

function correctedHead(): Block {
  return sideTitles([
    [columns[0]!, "image"],
    [columns[1]!, "its class: before"],
    [columns[2]!, "after"],
    [columns[3]!, "mistake: before"],
    [columns[4]!, "after"],
  ]);
}

type CorrectionCell = Extract<GalleryCell, { readonly of: "corrections" }>;

function correctedRow(
  { exhibit }: CorrectionCell,
  { image, before, after, mistakenFor }: CorrectionCell["corrected"][number],
): Block {
  const picture = byImage(exhibit.pictures).get(image)!;
  const [own, other] = picture.attention;
  const greatest = greatestOf(picture.attention);
  const overlay = (column: number, map: Attention["before"], logit: number) => {
    const x = columns[column]!;
    const heat = { ...picture, png: heatPng(map, { ...picture, greatest }) };
    return [
      pictureElement(picture, x),
      imageElement(heat, { x }),
      text(formatLogit(logit), { x, y: side + 15, weight: "bold" }),
    ];
  };
  const mistaken = classNameIn(exhibit, mistakenFor);
  const name = wrap(picture.className, 24);
  const margins = `margin ${formatGain(before.own - before.mistaken)} → ${
    formatGain(after.own - after.mistaken)
  }`;
  const rest = [...wrap(`not ${mistaken}`, 32), margins, `image ${image}`];
  return {
    width: columns.at(-1)! + side,
    height: side + 36,
    draw: [
      ...name.map((line, i) => text(line, { x: 0, y: 13 + 17 * i, size: 13, weight: "bold" })),
      ...rest.map((line, i) => text(line, { x: 0, y: 13 + 17 * name.length + 14 * i, size: 10.5 })),
      pictureElement(picture, columns[0]!),
      ...overlay(1, own.before, before.own),
      ...overlay(2, own.after, after.own),
      ...overlay(3, other.before, before.mistaken),
      ...overlay(4, other.after, after.mistaken),
    ],
  };
}

function heading(title: string): Block {
  return { ...paragraph([title], { size: 14, line: 20 }), height: 30 };
}

function sideTitles(titles: readonly (readonly [x: number, title: string])[]): Block {
  return {
    width: 0,
    height: 26,
    draw: titles.map(([x, title]) => text(title, { x, y: 16, size: 11 })),
  };
}

function paragraph(
  lines: readonly string[],
  { size, line }: { readonly size: number; readonly line: number },
): Block {
  return {
    width: 0,
    height: lines.length * line + 6,
    draw: lines.map((words, i) => text(words, { x: 0, y: i * line + size, size })),
  };
}

function text(
  words: string,
  { x, y, size = 11, weight }: {
    readonly x: number;
    readonly y: number;
    readonly size?: number;
    readonly weight?: "bold";
  },
): string {
  const bold = weight === undefined ? "" : ` font-weight="${weight}"`;
  return `<text x="${x}" y="${y}" font-size="${size}"${bold}>${escapeXml(words)}</text>`;
}

/** A picture within a square of the gallery: of one that is enlarged the pixels are seen. */
function pictureElement(picture: Picture, x: number): string {
  const isEnlarged = Math.max(picture.width, picture.height) < side;
  return imageElement(picture, { x, style: isEnlarged ? ' image-rendering="pixelated"' : "" });
}

function imageElement(
  { png, width, height }: Pick<Picture, "png" | "width" | "height">,
  { x, style = "" }: { readonly x: number; readonly style?: string },
): string {
  const scale = side / Math.max(width, height);
  const [w, h] = [width, height].map((extent) => +(extent * scale).toFixed(2));
  return `<image x="${x}" y="0" width="${w}" height="${h}"${style} href="${pngAddress(png)}"/>`;
}

/** Around a picture of the concept's own class. */
function frame(x: number): string {
  return `<rect x="${x - 2.5}" y="-2.5" width="${side + 5}" height="${side + 5}" fill="none" ` +
    `stroke="#009e73" stroke-width="3"/>`;
}
