/**
 * Renders a plotly figure to a PNG file with the chromium of this machine:
 *
 *     deno run --allow-read --allow-write --allow-run=chromium \
 *       lib/report/render_figure.ts results/world/table2/figure.json docs/table2.png
 *
 * Results do not depend on it; it makes the pictures of the documentation.
 */
import { UserError } from "../files/mod.ts";
import type { Figure } from "./figure.ts";

/** How a picture is made. */
export interface PictureOptions {
  /** CSS pixels. */
  readonly width?: number;
  /** CSS pixels; that of the figure's layout when not given. */
  readonly height?: number;
  /** Real pixels of one CSS pixel. */
  readonly scale?: number;
  /** Names of chromium to try, in order. */
  readonly commands?: readonly string[];
}

/** A page that holds everything it needs: the plotly library, the figure and the call. */
export function figurePage(
  { data, layout }: Figure,
  { plotly, width, height }: {
    readonly plotly: string;
    readonly width: number;
    readonly height: number;
  },
): string {
  // "</script" inside the figure's text would end the script early.
  const sized = { data, layout: { ...layout, width, height } };
  const json = JSON.stringify(sized).replaceAll("<", "\\u003c");
  return `<!doctype html><meta charset="utf-8"><style>body { margin: 0 }</style>
<div id="figure"></div>
<script>${plotly.replaceAll("</script", "<\\/script")}</script>
<script>
const { data, layout } = ${json};
Plotly.newPlot("figure", data, layout, { staticPlot: true, displayModeBar: false });
</script>
`;
}

/**
 * The figure as PNG bytes.
 *
 * @throws {UserError} when no chromium is installed.
 * @throws {Error} when chromium fails.
 */
export async function renderFigure(
  figure: Figure,
  {
    width = 1200,
    height = Number(figure.layout["height"] ?? 520),
    scale = 2,
    commands = ["chromium", "chromium-browser", "google-chrome"],
  }: PictureOptions = {},
): Promise<Uint8Array> {
  const plotly = new URL(import.meta.resolve("plotly.js-dist/plotly.js"));
  const folder = await Deno.makeTempDir({ prefix: "lg-cav-figure-" });
  try {
    await Deno.writeTextFile(
      `${folder}/figure.html`,
      figurePage(figure, { plotly: await Deno.readTextFile(plotly), width, height }),
    );
    await runChromium(commands, [
      "--headless",
      "--disable-gpu",
      // Chromium refuses its sandbox to root; the page is ours and reads nothing.
      "--no-sandbox",
      "--hide-scrollbars",
      `--user-data-dir=${folder}/profile`,
      `--force-device-scale-factor=${scale}`,
      `--window-size=${width},${height}`,
      "--virtual-time-budget=5000",
      `--screenshot=${folder}/figure.png`,
      `file://${folder}/figure.html`,
    ]);
    return await Deno.readFile(`${folder}/figure.png`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runChromium(commands: readonly string[], args: readonly string[]): Promise<void> {
  for (const command of commands) {
    try {
      const { success, code, stderr } = await new Deno.Command(command, { args: [...args] })
        .output();
      if (success) return;
      throw new Error(
        `Rendering a figure: ${command} stopped with code ${code}. ` +
          new TextDecoder().decode(stderr).slice(-500),
      );
    } catch (error) {
      const absent = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotCapable;
      if (!absent) throw error;
    }
  }
  throw new UserError(
    `Rendering a figure takes a chromium, and none of ${commands.join(", ")} is installed and ` +
      `allowed to run.`,
  );
}

if (import.meta.main) {
  const [from, to] = Deno.args;
  if (from === undefined || to === undefined) {
    console.error("Usage: render_figure.ts FIGURE.json PICTURE.png");
    Deno.exit(2);
  }
  await Deno.writeFile(to, await renderFigure(JSON.parse(await Deno.readTextFile(from))));
}
