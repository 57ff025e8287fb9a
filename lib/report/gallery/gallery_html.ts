import type { Attention, Picture } from "../../experiment/mod.ts";
import { fullTitle } from "../_cells.ts";
import { aboutResult } from "../_about.ts";
import type { CorrectedImage, GalleryCell, ResultGallery, ShownConcept } from "../result.ts";
import { greatestOf, heatPng } from "./_heat.ts";
import { styles } from "./_styles.ts";
import {
  attentionSentence,
  byImage,
  classNameIn,
  countsOf,
  formatGain,
  formatLogit,
  ruleOf,
  strongestPlace,
  titledCells,
} from "./_words.ts";
import { escapeXml, pngAddress } from "./_xml.ts";

type ActivationCell = Extract<GalleryCell, { readonly of: "activations" }>;
type CorrectionCell = Extract<GalleryCell, { readonly of: "corrections" }>;

/**
 * gallery.html: a page that needs nothing else. Its pictures are in it, it loads and runs nothing
 * (its policy forbids both), every picture has a text, and it fits a telephone.
 */
export function galleryHtml(result: ResultGallery): string {
  const title = escapeXml(fullTitle(result));
  const cells = titledCells(result).map(({ title, cell }, i) =>
    cellHtml(cell, { title, number: i })
  );
  const attention = attentionSentence(result);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>
${styles}
</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p>${escapeXml(aboutResult(result))}</p>
${
    result.prediction === null
      ? ""
      : `<p>Expected before the first run: ${escapeXml(result.prediction)}</p>`
  }
<p>${escapeXml(ruleOf(result))}</p>
${attention === undefined ? "" : `<p>${attention}</p>`}
</header>
<main>
${cells.join("\n")}
</main>
</body>
</html>
`;
}

interface CellOptions {
  /** "" where there is one cell only. */
  readonly title: string;
  readonly number: number;
}

function cellHtml(cell: GalleryCell, { title, number }: CellOptions): string {
  const heading = title === "" ? "" : `<h2>${escapeXml(title)}</h2>\n`;
  const counts = `<p class="counts">${escapeXml(countsOf({ cell }))}</p>`;
  const parts = cell.status === "not run"
    ? []
    : cell.of === "activations"
    ? conceptParts(cell, `concept-${number}`)
    : correctedParts(cell, `image-${number}`);
  const links = parts.map(({ id, name }) => `<li><a href="#${id}">${escapeXml(name)}</a></li>`);
  const contents = links.length < 2
    ? ""
    : `<nav aria-label="Contents"><ul>\n${links.join("\n")}\n</ul></nav>\n`;
  return `${heading}${counts}\n${contents}${parts.map(({ html }) => html).join("\n")}`;
}

interface Part {
  readonly id: string;
  readonly name: string;
  readonly html: string;
}

function conceptParts({ concepts, exhibit }: ActivationCell, prefix: string): Part[] {
  const pictures = byImage(exhibit.pictures);
  return concepts.map((concept, i) => {
    const id = `${prefix}-${i + 1}`;
    const strip = (title: string, side: "most" | "least") =>
      `<h4>${title}</h4>
<ul class="strip">
${concept[side].map((shown) => activationHtml(shown, { concept, pictures })).join("\n")}
</ul>`;
    const html = `<section class="concept" aria-labelledby="${id}">
<h3 id="${id}">${escapeXml(concept.name)}</h3>
${concept.text === concept.name ? "" : `<p class="words">${escapeXml(concept.text)}</p>`}
<div class="sides">
<div>${strip("Most activated", "most")}</div>
<div>${strip("Least activated", "least")}</div>
</div>
</section>`;
    return { id, name: concept.name, html };
  });
}

function activationHtml(
  { image, value }: ShownConcept["most"][number],
  { concept, pictures }: {
    readonly concept: ShownConcept;
    readonly pictures: ReadonlyMap<string, Picture>;
  },
): string {
  const picture = pictures.get(image)!;
  const own = picture.class === concept.class;
  const text = `Test image ${image}, ${picture.className}: activation ${formatLogit(value)}`;
  return `<li><figure${own ? ' class="own"' : ""}>${pictureHtml(picture, text)}` +
    `<figcaption><b>${formatLogit(value)}</b> ${escapeXml(picture.className)}${
      own ? ' <span class="mark">its class</span>' : ""
    }</figcaption></figure></li>`;
}

function correctedParts({ corrected, exhibit }: CorrectionCell, prefix: string): Part[] {
  const pictures = byImage(exhibit.pictures);
  return corrected.map((one, i) => {
    const id = `${prefix}-${i + 1}`;
    const picture = pictures.get(one.image)!;
    const mistaken = classNameIn(exhibit, one.mistakenFor);
    const name = `${picture.className}, not ${mistaken}`;
    const html = `<section class="corrected" aria-labelledby="${id}">
<h3 id="${id}">${escapeXml(name)}</h3>
<figure class="picture">${
      pictureHtml(picture, `Test image ${one.image}, ${picture.className}`)
    }<figcaption>Image ${one.image}. Margin ${formatGain(one.before.own - one.before.mistaken)} → ${
      formatGain(one.after.own - one.after.mistaken)
    }.</figcaption></figure>
${attentionTable(one, { picture, mistaken })}
</section>`;
    return { id, name, html };
  });
}

function attentionTable(
  { before, after }: CorrectedImage,
  { picture, mistaken }: {
    readonly picture: Picture & { readonly attention: readonly [Attention, Attention] };
    readonly mistaken: string;
  },
): string {
  const greatest = greatestOf(picture.attention);
  const [own, other] = picture.attention;
  const cell = (map: Attention["before"], logit: number, text: string) =>
    `<td><div class="overlay">${pictureHtml(picture, "")}<img src="${
      pngAddress(heatPng(map, { ...picture, greatest }))
    }" width="${picture.width}" height="${picture.height}" alt="${
      escapeXml(`${text}, strongest ${strongestPlace(map)}`)
    }"></div><b>${formatLogit(logit)}</b></td>`;
  const line = (
    name: string,
    { before: first, after: then }: Attention,
    logits: [number, number],
  ) =>
    `<tr><th scope="row">${escapeXml(name)}</th>${
      cell(first, logits[0], `Grad-CAM of ${name} before`)
    }${cell(then, logits[1], `Grad-CAM of ${name} after`)}</tr>`;
  return `<table>
<thead><tr><td></td><th scope="col">before</th><th scope="col">after</th></tr></thead>
<tbody>
${line(picture.className, own, [before.own, after.own])}
${line(mistaken, other, [before.mistaken, after.mistaken])}
</tbody>
</table>`;
}

function pictureHtml({ png, width, height }: Picture, text: string): string {
  return `<img src="${pngAddress(png)}" width="${width}" height="${height}" alt="${
    escapeXml(text)
  }">`;
}
