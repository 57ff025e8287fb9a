import { Buffer } from "node:buffer";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { UserError } from "../files/mod.ts";
import type { Figure } from "./figure.ts";

/** A figure as pictures. */
export interface Pictures {
  readonly svg: Uint8Array;
  readonly png: Uint8Array;
}

/** How pictures are made. */
export interface PictureOptions {
  /** Of a plotly figure in CSS pixels; the height is that of its layout. */
  readonly width?: number;
  /** Pixels of the PNG for one CSS pixel; at most 1 where it would have more than ten million. */
  readonly scale?: number;
  /** Names of chromium to try, in order. */
  readonly commands?: readonly string[];
  /** A folder for the files of one rendering; the system's own when left out. */
  readonly scratch?: string;
}

/** What is drawn: a plotly figure, or the text of an SVG that needs nothing else. */
export type Drawing = Figure | string;

/**
 * Drawings as SVG and PNG, by one start of this machine's chromium (2 s, then 0.1 s a figure). The
 * same figure gives the same SVG, whatever is drawn beside it, as long as the browser and its fonts
 * are the same. Pictures are for looking: no result depends on them.
 *
 * @throws {UserError} when no chromium is installed and allowed to run, or it does not work.
 * @throws {Error} when plotly cannot draw a figure.
 */
export async function renderPictures(
  drawings: readonly Drawing[],
  {
    width = 1100,
    scale = 2,
    commands = browsers,
    scratch,
  }: PictureOptions = {},
): Promise<Pictures[]> {
  if (drawings.length === 0) return [];
  const plotly = fileURLToPath(import.meta.resolve("plotly.js-dist/plotly.js"));
  const html = picturesPage(drawings, { plotly: pathToFileURL(plotly).href, width, scale });
  const files = await drawnBy(html, { commands, scratch });
  return drawings.map((_, i) => ({ svg: files[2 * i]!, png: files[2 * i + 1]! }));
}

/** The files that a page writes in a browser. */
async function drawnBy(
  html: string,
  { commands, scratch }: {
    readonly commands: readonly string[];
    readonly scratch: string | undefined;
  },
): Promise<Uint8Array[]> {
  const folder = resolve(
    await Deno.makeTempDir({
      prefix: "figures-",
      ...(scratch !== undefined && { dir: scratch }),
    }),
  );
  try {
    const page = join(folder, "figures.html");
    await Deno.writeTextFile(page, html);
    return filesIn(await runChromium(commands, { folder, page }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const browsers = ["chromium", "chromium-browser", "google-chrome"];

/**
 * A page that draws one after the other and writes the files, base64, into an element of its own.
 * Plotly names the parts of an SVG by Math.random, which is therefore seeded before each figure.
 */
export function picturesPage(
  drawings: readonly Drawing[],
  { plotly, width, scale }: {
    /** The address of the plotly library. */
    readonly plotly: string;
    readonly width: number;
    readonly scale: number;
  },
): string {
  // "</script" inside the drawings' text would end the script early.
  const json = JSON.stringify({ drawings, width, scale }).replaceAll("<", "\\u003c");
  return `<!doctype html><meta charset="utf-8">
<pre id="pictures"></pre>
<script src="${plotly}"></script>
<script>
const { drawings, width, scale } = ${json};
const base64 = (text) => btoa(unescape(encodeURIComponent(text)));
const scaleOf = (width, height) => width * height * scale ** 2 > 1e7 ? Math.min(1, scale) : scale;
const plot = async ({ data, layout }, format) => {
  let state = 1;
  Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const height = layout.height ?? 520;
  const png = format === "png" ? scaleOf(width, height) : 1;
  const options = { format, width, height, scale: png, imageDataOnly: true };
  return await Plotly.toImage({ data, layout, config: { staticPlot: true } }, options);
};
const drawFigure = async (figure) => {
  // What plotly remembers of the first drawing changes the order of attributes in the second.
  await plot(figure, "svg");
  return [base64(await plot(figure, "svg")), await plot(figure, "png")];
};
const drawSvg = async (text) => {
  const svg = base64(text);
  const image = new Image();
  image.src = "data:image/svg+xml;base64," + svg;
  await image.decode();
  const { naturalWidth, naturalHeight } = image;
  const scale = scaleOf(naturalWidth, naturalHeight);
  const canvas = document.createElement("canvas");
  canvas.width = scale * naturalWidth;
  canvas.height = scale * naturalHeight;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return [svg, canvas.toDataURL("image/png").split(",")[1]];
};
const drawAll = async () => {
  const files = [];
  for (const drawing of drawings) {
    files.push(...await (typeof drawing === "string" ? drawSvg : drawFigure)(drawing));
  }
  return files.join(" ");
};
drawAll().catch((error) => "failed: " + error).then((text) => {
  document.getElementById("pictures").textContent = text;
});
</script>
`;
}

/** The files in the document that the browser printed. */
function filesIn(document: string): Uint8Array[] {
  const text = /<pre id="pictures">([^<]*)<\/pre>/.exec(document)?.[1] ?? "";
  if (text === "" || text.startsWith("failed: ")) {
    throw new Error(`Drawing figures: the browser ${text || "printed no pictures"}.`);
  }
  return text.split(" ").map((base64) => new Uint8Array(Buffer.from(base64, "base64")));
}

/** Milliseconds after which a browser hangs. */
const patience = 180_000;

async function runChromium(
  commands: readonly string[],
  { folder, page }: { readonly folder: string; readonly page: string },
): Promise<string> {
  const args = [
    "--headless",
    "--disable-gpu",
    // Chromium refuses its sandbox to root; the page is ours and reads nothing.
    "--no-sandbox",
    "--hide-scrollbars",
    // Containers have little shared memory.
    "--disable-dev-shm-usage",
    `--user-data-dir=${join(folder, "profile")}`,
    // Time that passes only while nothing is left to do: the document is printed when all is drawn.
    "--virtual-time-budget=600000",
    "--dump-dom",
    pathToFileURL(page).href,
  ];
  for (const command of commands) {
    try {
      const signal = AbortSignal.timeout(patience);
      const { success, code, stdout, stderr } = await new Deno.Command(command, { args, signal })
        .output();
      if (success) return new TextDecoder().decode(stdout);
      throw new UserError(
        `Drawing figures: ${command} stopped with code ${code}. Its last words: ` +
          new TextDecoder().decode(stderr).trim().slice(-500),
      );
    } catch (error) {
      const absent = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotCapable;
      if (!absent) throw error;
    }
  }
  throw new UserError(
    `Drawing figures takes a browser, and none of ${
      commands.join(", ")
    } is installed and allowed ` +
      `to run. Install chromium (on Debian: apt-get install chromium).`,
  );
}
