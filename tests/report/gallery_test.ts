import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import sharp from "sharp";
import {
  describeResult,
  foldGallery,
  galleryHtml,
  gallerySvg,
  markdown,
  refoldResult,
  resultFiles,
  type ResultGallery,
  tableRows,
  terminalTable,
} from "../../lib/report/mod.ts";
import { heatPng } from "../../lib/report/gallery/_heat.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { activations, corrections, hung } from "./_exhibits.ts";
import { at, run } from "./_synthetic.ts";

const fold = ({ runs, exhibit, spec }: typeof activations | typeof corrections) =>
  foldGallery({ runs, exhibits: hung({ runs, exhibit }) }, spec);
const galleries = { activations: fold(activations), corrections: fold(corrections) };
const cellOf = <Of extends "activations" | "corrections">(gallery: ResultGallery, of: Of) => {
  const { cell } = gallery.rows[0]!;
  assert.ok(cell.status === "measured" && cell.of === of);
  return cell as Extract<typeof cell, { readonly of: Of }>;
};

Deno.test("foldGallery() hangs the most and least activated images of each concept, by hand", () => {
  const { concepts } = cellOf(galleries.activations, "activations");
  const images = (shown: { readonly image: string; readonly value: number }[]) =>
    shown.map(({ image, value }) => [image, value]);
  assert.deepEqual(
    concepts.map(({ name, most, least }) => [name, images([...most]), images([...least])]),
    [
      ["red", [["3", 0.9], ["1", 0.5]], [["2", -0.2], ["4", 0.1]]],
      ["dog", [["4", 0.4], ["3", 0.3]], [["1", 0.1], ["2", 0.2]]],
    ],
  );
  assert.deepEqual(galleries.activations.seeds, [0]);
});

Deno.test("foldGallery() orders corrected images by the gain of their margin, by hand", () => {
  const { corrected } = cellOf(galleries.corrections, "corrections");
  assert.deepEqual(corrected, [
    {
      image: "8",
      class: "n2",
      mistakenFor: "n1",
      before: { own: 0, mistaken: 2 },
      after: { own: 3, mistaken: 2 },
      gain: 3,
    },
    {
      image: "7",
      class: "n1",
      mistakenFor: "n2",
      before: { own: 1, mistaken: 1.5 },
      after: { own: 1.5, mistaken: 1.25 },
      gain: 0.75,
    },
  ]);
});

Deno.test("foldGallery() does not depend on the order of the runs, nor on those of other cells", () => {
  const { runs, exhibit, spec } = activations;
  const exhibits = hung(activations);
  const others = runs.map((run) => at(run, { seed: 1 }));
  const shuffled = createRandom(1).shuffle([...runs, ...others]);
  assert.deepEqual(
    foldGallery({ runs: shuffled, exhibits }, spec).rows,
    galleries.activations.rows,
  );
  const { rows } = foldGallery({ runs: [], exhibits: [] }, spec);
  assert.deepEqual(rows[0]!.cell, { status: "not run" });
  assert.equal(exhibit.pictures.length, 4);
});

Deno.test("foldGallery() refuses a picture without a value, a value without a picture, and NaN", () => {
  const { runs, exhibit, spec } = activations;
  const exhibits = hung({ runs, exhibit });
  const folding = (changed: typeof runs) => () => foldGallery({ runs: changed, exhibits }, spec);
  assert.throws(folding(runs.filter(({ image }) => image !== "2")), /image 2 has no value/);
  const stranger = { ...runs[0]!, image: "9" };
  assert.throws(folding([...runs, stranger]), /image 9 has the value 0.5 and no picture/);
  assert.throws(folding([{ ...runs[0]!, value: NaN }, ...runs.slice(1)]), /image 1 .* NaN/);
  const half = corrections.runs.filter(({ measure }) => measure === "logit_before");
  assert.throws(
    () => foldGallery({ runs: half, exhibits: hung(corrections) }, corrections.spec),
    /image 7 has no logit_after of n1/,
  );
});

for (const [name, gallery] of Object.entries(galleries)) {
  const html = galleryHtml(gallery);
  const svg = gallerySvg(gallery);

  Deno.test(`galleryHtml() of ${name} takes names as text and loads nothing`, () => {
    assert.doesNotMatch(html, /<script|<b onclick|<i>one|javascript:/);
    assert.match(html, /&lt;b onclick=&quot;x&quot;&gt;n1&lt;\/b&gt; &amp; &#39;co&#39;/);
    assert.match(html, /default-src 'none'; img-src data:; style-src 'unsafe-inline'/);
    const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address!);
    assert.ok(addresses.length > 4);
    assert.deepEqual(addresses.filter((one) => !/^(data:image\/png;base64,|#)/.test(one)), []);
    assert.doesNotMatch(html, /url\(|@import|https?:/);
  });

  Deno.test(`galleryHtml() of ${name} describes every picture and leads to every section`, () => {
    const pictures = [...html.matchAll(/<img [^>]*>/g)].map(([tag]) => tag);
    // Under an overlay lies a picture whose text is beside it.
    const silent = pictures.filter((tag) => /alt=""/.test(tag));
    assert.ok(pictures.every((tag) => / alt="/.test(tag)));
    assert.equal(silent.length, name === "corrections" ? 2 * 4 : 0);
    const targets = [...html.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id!);
    assert.ok(targets.length === 2);
    for (const id of targets) assert.ok(html.includes(`id="${id}"`), id);
    assert.match(html, /<html lang="en">/);
    assert.match(html, /name="viewport"/);
  });

  Deno.test(`gallerySvg() of ${name} is an image of its size that needs nothing else`, async () => {
    const { format, width, height } = await sharp(Buffer.from(svg.text)).metadata();
    assert.deepEqual([format, width, height], ["svg", svg.width, svg.height]);
    const addresses = [...svg.text.matchAll(/href="([^"]*)"/g)].map(([, address]) => address!);
    assert.ok(addresses.every((one) => one.startsWith("data:image/png;base64,")));
    assert.equal(svg.text.match(/https?:[^"]*/g)!.join(), "http://www.w3.org/2000/svg");
  });
}

Deno.test("galleries state the rule by which their pictures were chosen, wherever they are shown", () => {
  const rules = {
    activations:
      /2, evenly spaced in the order of the dataset.s classes.*each concept the 2 test images/,
    corrections: /the 2 whose margin grew most, at most 1 of a class/,
  };
  for (const name of ["activations", "corrections"] as const) {
    const gallery = galleries[name];
    const texts = { html: galleryHtml(gallery), markdown: markdown(gallery) };
    for (const text of Object.values(texts)) {
      assert.match(text.replaceAll("&#39;", "'").replaceAll("\n", " "), rules[name]);
    }
    const drawn = [...gallerySvg(gallery).text.matchAll(/<text[^>]*>([^<]*)</g)]
      .map(([, words]) => words).join(" ");
    assert.match(drawn.replaceAll("&#39;", "'"), rules[name]);
  }
});

Deno.test("a gallery where nothing was corrected says so and shows nothing", () => {
  const { spec, exhibit } = corrections;
  const none = { ...exhibit, corrected: 0, broken: 1, wrongAfter: 10, pictures: [], classes: [] };
  const { levels } = corrections.runs[0]!;
  const { result, files } = resultFiles([], spec, { exhibits: [{ levels, exhibit: none }] });
  const sentence =
    /Of 50 test images the uncorrected model gets 9 wrong and the corrected one 10: 0 that were wrong are right, 1 that were right are wrong\. Nothing was corrected/;
  const html = new TextDecoder().decode(files.get("gallery.html"));
  assert.match(html, sentence);
  assert.doesNotMatch(html, /<img/);
  assert.match(describeResult(result), sentence);
  assert.match(terminalTable(result, { columns: 1000 }), sentence);
  assert.deepEqual(tableRows(result), []);
});

Deno.test("resultFiles() of a gallery is refolded to the same bytes from table.json and runs.arrow", () => {
  for (const { runs, spec, exhibit } of [activations, corrections]) {
    const exhibits = hung({ runs, exhibit });
    const { files } = resultFiles(runs, spec, { exhibits });
    assert.deepEqual([...files.keys()], [
      "table.md",
      "table.csv",
      "table.json",
      "gallery.html",
      "figure.svg",
      "runs.csv",
      "runs.arrow",
    ]);
    const tableJson = new TextDecoder().decode(files.get("table.json"));
    const again = refoldResult({ tableJson, runsArrow: files.get("runs.arrow")! });
    for (const [name, bytes] of files) assert.deepEqual(again.files.get(name), bytes, name);
    // A value that was changed in one of them no longer follows from the other.
    const changed = runs.map((run, i) => i === 0 ? { ...run, value: run.value + 1 } : run);
    const other = resultFiles(changed, spec, { exhibits });
    for (const name of ["table.csv", "table.json", "gallery.html", "figure.svg", "runs.csv"]) {
      assert.notDeepEqual(other.files.get(name), files.get(name), name);
    }
  }
});

Deno.test("tableRows() of a gallery has one row for each activation and each corrected image", () => {
  const rows = tableRows(galleries.activations);
  assert.equal(rows.length, 8);
  const { concept, end, rank, image, image_class, activation } = rows[0]!;
  assert.deepEqual([concept, end, rank, image, image_class, activation], [
    ...["red", "most", 1, "3", "n2", 0.9],
  ]);
  const [first] = tableRows(galleries.corrections);
  assert.deepEqual([first!["image"], first!["mistaken_for"], first!["gain"]], ["8", "n1", 3]);
});

Deno.test("foldGallery() has a row for each level that varies, titled by it", () => {
  const { spec, exhibit } = activations;
  const two = spec.rows.flatMap((row) =>
    [0, 1].map((seed) => ({ ...row, levels: { ...row.levels, seed }, title: `${seed}` }))
  );
  const runs = activations.runs.flatMap((from) => [from, at(from, { seed: 1 })]);
  const exhibits = [0, 1].map((seed) => ({
    levels: at(run({ value: 0 }), { seed }).levels,
    exhibit,
  }))
    .map(({ levels, ...rest }) => ({
      ...rest,
      levels: { ...activations.runs[0]!.levels, seed: levels["seed"]! },
    }));
  const { rows, seeds } = foldGallery({ runs, exhibits }, { ...spec, rows: two });
  assert.deepEqual(seeds, [0, 1]);
  assert.deepEqual(rows.map(({ cell }) => cell.status), ["measured", "measured"]);
});

Deno.test("heatPng() enlarges a map linearly between the middles of its cells, by hand", async () => {
  const png = heatPng([[1, 0], [0, 0]], { width: 4, height: 4, greatest: 1 });
  const { data, info } = await sharp(Buffer.from(png, "base64")).raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [4, 4, 4]);
  const alpha = Array.from({ length: 16 }, (_, i) => data[4 * i + 3]!);
  // Shares along an axis are 1, 3/4, 1/4, 0; a share s is drawn with the opacity 215 sqrt(s).
  const shares = [1, 0.75, 0.25, 0];
  const expected = shares.flatMap((y) => shares.map((x) => Math.round(215 * Math.sqrt(x * y))));
  assert.deepEqual(alpha, expected);
  const nothing = heatPng([[0]], { width: 1, height: 1, greatest: 0 });
  assert.equal((await sharp(Buffer.from(nothing, "base64")).raw().toBuffer())[3], 0);
});
