import assert from "node:assert/strict";
import { join } from "node:path";
import { readBroden, scanBrodenLabels } from "../../lib/datasets/mod.ts";
import { folderOf, messageOf } from "./_folders.ts";
import { labelCsv, mask, writeBroden } from "./_broden_files.ts";

const rows = [
  "d/b.jpg,val,4,4,2,2,d/b_color.png,d/b_object.png,d/b_part0.png;d/b_part1.png,,5,",
  "d/a.jpg,train,4,4,2,2,,,,,,6",
];

const files = () => ({
  "d/b_color.png": mask([1, 1, 0, 0], 2),
  "d/b_object.png": mask([300, 3, 300, 300], 2),
  "d/b_part0.png": mask([4, 0, 0, 0], 2),
  "d/b_part1.png": mask([2, 4, 0, 0], 2),
});

Deno.test("readBroden() sorts images and reads splits, cells and labels", async () => {
  const broden = await readBroden(await writeBroden(rows, files()));
  assert.deepEqual(broden.images.ids, ["d/a.jpg", "d/b.jpg"]);
  assert.deepEqual(broden.splits, ["train", "val"]);
  assert.deepEqual(broden.categories, ["color", "object", "part", "material", "scene", "texture"]);
  assert.deepEqual(broden.annotations[0], [{ category: "texture", numbers: [6], masks: [] }]);
  assert.deepEqual(broden.annotations[1]?.[2], {
    category: "part",
    numbers: [],
    masks: ["d/b_part0.png", "d/b_part1.png"],
  });
  assert.deepEqual(broden.labels.get(5), {
    number: 5,
    name: "street-s",
    phrase: "street",
    category: "scene",
  });
  assert.deepEqual([1, 3].map((n) => broden.labels.get(n)?.phrase), ["red", "police car-s"]);
  assert.equal(broden.labels.get(2)?.category, "part");
  assert.equal(broden.labels.get(4)?.category, "part");
});

Deno.test("scanBrodenLabels() counts mask pixels over all planes", async () => {
  const broden = await readBroden(await writeBroden(rows, files()));
  const seen: number[] = [];
  const [a, b] = await scanBrodenLabels(broden, { onImage: (index) => seen.push(index) });
  assert.deepEqual(seen, [0, 1]);
  assert.deepEqual(a, [{ number: 6, category: "texture", fraction: 1 }]);
  assert.deepEqual(b, [
    { number: 1, category: "color", fraction: 0.5 },
    { number: 3, category: "object", fraction: 0.25 },
    { number: 300, category: "object", fraction: 0.75 },
    { number: 2, category: "part", fraction: 0.25 },
    { number: 4, category: "part", fraction: 0.5 },
    { number: 5, category: "scene", fraction: 1 },
  ]);
});

Deno.test("scanBrodenLabels() of ranges adds up to the scan of all", async () => {
  const broden = await readBroden(await writeBroden(rows, files()));
  const whole = await scanBrodenLabels(broden);
  const parts = [
    await scanBrodenLabels(broden, { end: 1 }),
    await scanBrodenLabels(broden, { start: 1 }),
  ];
  assert.deepEqual(parts.flat(), whole);
});

Deno.test("readBroden() reads tables that begin with a byte-order mark", async () => {
  const root = await writeBroden(rows, files());
  const { labels, annotations } = await readBroden(root);
  for (const file of ["label.csv", "index.csv"]) {
    const path = join(root, file);
    await Deno.writeTextFile(path, `\ufeff${await Deno.readTextFile(path)}`);
  }
  const marked = await readBroden(root);
  assert.deepEqual([marked.labels, marked.annotations], [labels, annotations]);
});

Deno.test("readBroden() names the folder that holds no index", async () => {
  const root = await folderOf({});
  assert.match(await messageOf(() => readBroden(root)), new RegExp(`no label.csv in ${root}`));
  await Deno.writeTextFile(join(root, "label.csv"), labelCsv);
  assert.match(await messageOf(() => readBroden(root)), new RegExp(`no index.csv in ${root}`));
});

Deno.test("readBroden() names missing columns", async () => {
  const root = await writeBroden([], {});
  await Deno.writeTextFile(join(root, "index.csv"), "image,split,ih,iw,object\n");
  assert.match(
    await messageOf(() => readBroden(root)),
    /index\.csv.*lacks the columns sh, sw; it has "image, split, ih, iw, object"/,
  );
});

Deno.test("readBroden() names the line of a label that label.csv does not list", async () => {
  const root = await writeBroden([rows[0]!, "d/a.jpg,train,4,4,2,2,,,,,,77"], {});
  assert.match(
    await messageOf(() => readBroden(root)),
    /line 3 of .*index\.csv names the texture 77/,
  );
});

Deno.test("readBroden() names the line with a wrong number of cells or a repeated image", async () => {
  const short = await writeBroden(["d/a.jpg,train,4,4"], {});
  assert.match(await messageOf(() => readBroden(short)), /line 2 of .*has 4 cells, not 12/);
  const repeated = await writeBroden([rows[1]!, rows[0]!, rows[1]!], {});
  assert.match(await messageOf(() => readBroden(repeated)), /line 4 of .*repeats d\/a\.jpg/);
});

Deno.test("scanBrodenLabels() counts and names the masks that cannot be read", async () => {
  const { "d/b_color.png": color, ...others } = files();
  const two = [...rows, "d/c.jpg,val,4,4,2,2,d/c_color.png,,,,,"];
  const corrupt = { ...others, "d/c_color.png": (await color).slice(0, 50) };
  const broden = await readBroden(await writeBroden(two, corrupt));
  const message = await messageOf(() => scanBrodenLabels(broden));
  assert.match(message, /^Cannot read the masks of 2 of 3 images of Broden: /);
  assert.match(message, /d\/b_color\.png of the image d\/b\.jpg \(there is no such file/);
  assert.match(message, /d\/c_color\.png of the image d\/c\.jpg \(.*"unreadable" to "skip"/);
});

Deno.test("scanBrodenLabels() leaves an image without labels whose mask is skipped", async () => {
  const { "d/b_part1.png": part, ...others } = files();
  const broden = await readBroden(
    await writeBroden(rows, { ...others, "d/b_part1.png": (await part).slice(0, 50) }),
  );
  const skipped: [string, string][] = [];
  const labels = await scanBrodenLabels(broden, {
    unreadable: "skip",
    onUnreadable: ({ image, mask }) => skipped.push([image, mask]),
  });
  assert.deepEqual(labels, [[{ number: 6, category: "texture", fraction: 1 }], []]);
  assert.deepEqual(skipped, [["d/b.jpg", "d/b_part1.png"]]);
});

Deno.test("scanBrodenLabels() names the masks of a label that is not listed, whatever is skipped", async () => {
  const stranger = { ...files(), "d/b_object.png": mask([9, 9, 3, 3], 2) };
  const unlisted = await readBroden(await writeBroden(rows, stranger));
  assert.match(
    await messageOf(() => scanBrodenLabels(unlisted, { unreadable: "skip" })),
    /object masks of d\/b\.jpg carry the label 9, which label\.csv does not list/,
  );
});
