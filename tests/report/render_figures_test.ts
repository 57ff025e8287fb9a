import assert from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import { foldTable, picturesPage, renderPictures, resultFigure } from "../../lib/report/mod.ts";
import { spec, syntheticRuns } from "./_synthetic.ts";

const figure = resultFigure(foldTable(syntheticRuns(), spec));

Deno.test("picturesPage() cannot be ended early by the text of a figure", () => {
  const figures = [{ data: [{ name: "</script><b>" }], layout: {} }];
  const page = picturesPage(figures, { plotly: "plotly.js", width: 1, scale: 1 });
  assert.equal(page.match(/<\/script>/g)!.length, 2);
  assert.ok(!page.includes("<b>"));
});

Deno.test("renderPictures() without a browser says what is missing", async () => {
  await assert.rejects(
    renderPictures([figure], { commands: ["no-such-chromium"] }),
    (error) => error instanceof UserError && /no-such-chromium.*apt-get/.test(error.message),
  );
});

Deno.test("renderPictures() with a browser that does not work says so, and leaves no file", async () => {
  const scratch = await Deno.makeTempDir();
  try {
    await assert.rejects(
      renderPictures([figure], { commands: ["false"], scratch }),
      (error) => error instanceof UserError && /false stopped with code 1/.test(error.message),
    );
    assert.deepEqual([...Deno.readDirSync(scratch)], []);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
});

Deno.test("renderPictures() of nothing needs no browser", async () => {
  assert.deepEqual(await renderPictures([], { commands: ["no-such-chromium"] }), []);
});

const chromium = ["chromium", "chromium-browser", "google-chrome"];

Deno.test({
  name: "renderPictures() gives a figure the same SVG whatever is drawn before it",
  ignore: !await hasBrowser(),
  fn: async () => {
    const other = { data: [{ type: "bar", x: ["a"], y: [1] }], layout: { height: 300 } };
    const scratch = await Deno.makeTempDir({ prefix: "scratch of 100 % #" });
    const [first, second, third] = await renderPictures([figure, other, figure], {
      scale: 1,
      scratch,
    });
    await Deno.remove(scratch);
    const [svg, again] = [first!, third!].map(({ svg }) => new TextDecoder().decode(svg));
    assert.ok(svg === again);
    assert.ok(svg!.startsWith("<svg "));
    assert.ok(svg!.includes(`width="1100" height="${figure.layout["height"]}"`));
    assert.match(svg!, /ResNet-18/);
    // Width and height of a PNG are the first numbers of its header.
    const { png } = second!;
    const header = new DataView(png.buffer, png.byteOffset);
    assert.deepEqual([header.getUint32(16), header.getUint32(20)], [1100, 300]);
  },
});

async function hasBrowser(): Promise<boolean> {
  for (const command of chromium) {
    const found = await new Deno.Command(command, { args: ["--version"], stdout: "null" }).output()
      .catch(() => undefined);
    if (found?.success) return true;
  }
  return false;
}
