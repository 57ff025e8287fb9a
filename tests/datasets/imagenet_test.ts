import assert from "node:assert/strict";
import { readImageNet, viewOfClasses } from "../../lib/datasets/mod.ts";
import { folderOf, messageOf } from "./_folders.ts";

const jpeg = await Deno.readFile("tests/fixtures/data/images/size1x40.jpg");
const mapping = "n04548280 wall clock\nn01440764 tench, Tinca tinca\nn02100735 English setter\n";

const foldered = () =>
  folderOf({
    "LOC_synset_mapping.txt": mapping,
    "train/n01440764/n01440764_9.JPEG": jpeg,
    "train/n01440764/n01440764_10.JPEG": jpeg,
    "train/n01440764/notes.txt": "no image",
    "train/n04548280/n04548280_1.JPEG": jpeg,
    "train/n02100735/n02100735_1.JPEG": jpeg,
    "train/n02100735/.hidden.JPEG": jpeg,
  });

const devkit = (truth: string) => ({
  "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": truth,
});

Deno.test("readImageNet() labels wnid folders by the order of the wnids", async () => {
  const { images, classes, labels } = await readImageNet(await foldered(), "train");
  assert.deepEqual(images.ids, [
    "n01440764/n01440764_10.JPEG",
    "n01440764/n01440764_9.JPEG",
    "n02100735/n02100735_1.JPEG",
    "n04548280/n04548280_1.JPEG",
  ]);
  assert.deepEqual(
    classes.map(({ id, name }) => `${id} ${name}`),
    mapping.trim().split("\n").sort(),
  );
  assert.deepEqual([...labels], [0, 0, 1, 2]);
  assert.deepEqual(await images.read(3), jpeg);
  const { width, height } = await images.decode(jpeg, images.ids[3]!);
  assert.deepEqual([width, height], [1, 40]);
});

Deno.test("readImageNet() of some wnids keeps the labels of all", async () => {
  const { images, classes, labels } = await readImageNet(await foldered(), "train", {
    only: ["n04548280", "n01440764"],
  });
  assert.equal(images.ids.length, 3);
  assert.equal(classes.length, 3);
  assert.deepEqual([...labels], [0, 0, 2]);
});

/** The first validation images: their lines in the devkit's ground truth, and their classes. */
const firstImages = [
  [490, "n01751748"],
  [361, "n09193705"],
  [171, "n02105855"],
  [822, "n04263257"],
  [297, "n03125729"],
  [482, "n01735189"],
  [13, "n02346627"],
  [704, "n02776631"],
  [599, "n03794056"],
  [164, "n02328150"],
] as const;

Deno.test("readImageNet() knows the classes of ILSVRC 2012 and their numbers in the devkit", async () => {
  const names = firstImages.map((_, i) => `ILSVRC2012_val_${String(i + 1).padStart(8, "0")}.JPEG`);
  const truth = firstImages.map(([id]) => `${id}\n`).join("");
  const images = Object.fromEntries(names.map((name) => [`val/${name}`, jpeg]));
  for (const folder of ["ILSVRC2012_devkit_t12/data/", ""]) {
    const root = await folderOf({
      ...images,
      [`${folder}ILSVRC2012_validation_ground_truth.txt`]: truth,
    });
    const { images: { ids }, classes, labels } = await readImageNet(root, "val");
    assert.deepEqual(ids, names);
    assert.deepEqual(
      [...labels].map((label) => classes[label]!.id),
      firstImages.map(([, id]) => id),
    );
    assert.equal(classes.length, 1000);
    assert.deepEqual(classes.map(({ id }) => id), classes.map(({ id }) => id).sort());
    // Indices of torchvision's pretrained models.
    assert.deepEqual([classes[0], classes[278], classes[999]], [
      { id: "n01440764", name: "tench, Tinca tinca" },
      { id: "n02119789", name: "kit fox, Vulpes macrotis" },
      { id: "n15075141", name: "toilet tissue, toilet paper, bathroom tissue" },
    ]);
    const some = await readImageNet(root, "val", { only: ["n02105855"] });
    assert.deepEqual(some.images.ids, [names[2]]);
    assert.deepEqual([...some.labels], [230]);
  }
});

Deno.test("readImageNet() reads the numbers from 1 to 1000, each another class", async () => {
  const name = (i: number) => `val/ILSVRC2012_val_${String(i).padStart(8, "0")}.JPEG`;
  const ids = Array.from({ length: 1000 }, (_, i) => i + 1);
  const root = await folderOf({
    ...devkit(ids.map((id) => `${id}\n`).join("")),
    ...Object.fromEntries(ids.map((id) => [name(id), ""])),
  });
  const { labels } = await readImageNet(root, "val");
  assert.equal(new Set(labels).size, 1000);
});

Deno.test("readImageNet() of a list of classes leaves out flat images of others", async () => {
  const root = await folderOf({
    ...devkit("490\n2\n"),
    "LOC_synset_mapping.txt": mapping,
    "val/ILSVRC2012_val_00000001.JPEG": jpeg,
    "val/ILSVRC2012_val_00000002.JPEG": jpeg,
  });
  const { images, classes, labels } = await readImageNet(root, "val");
  assert.equal(classes.length, 3);
  assert.deepEqual(images.ids, ["ILSVRC2012_val_00000002.JPEG"]);
  assert.deepEqual([...labels], [1]);
});

Deno.test("readImageNet() says what is missing", async () => {
  const root = await folderOf({ "train/n01440764/a.JPEG": jpeg });
  assert.match(await messageOf(() => readImageNet(root, "train")), /no folder .*n01443537/);
  const noSplit = await folderOf({ "LOC_synset_mapping.txt": mapping });
  assert.match(await messageOf(() => readImageNet(noSplit, "val")), /no folder .*\/val/);
  const noClass = await folderOf({
    "LOC_synset_mapping.txt": mapping,
    "train/n01440764/a.JPEG": jpeg,
  });
  assert.match(await messageOf(() => readImageNet(noClass, "train")), /no folder .*n02100735/);
  const flat = await folderOf({ "LOC_synset_mapping.txt": mapping, "val/a.JPEG": jpeg });
  assert.match(
    await messageOf(() => readImageNet(flat, "val")),
    /no ILSVRC2012_validation_ground_truth\.txt in/,
  );
});

Deno.test("readImageNet() names what does not fit", async () => {
  const stranger = await folderOf({
    "LOC_synset_mapping.txt": mapping,
    "train/n99999999/a.JPEG": jpeg,
  });
  assert.match(
    await messageOf(() => readImageNet(stranger, "train")),
    /n99999999 is none of the 3 classes/,
  );
  const line = await folderOf({ "LOC_synset_mapping.txt": "n01440764 tench\ntench\n" });
  assert.match(await messageOf(() => readImageNet(line, "train")), /line 2 of .*mapping\.txt/);
  const short = await folderOf({ ...devkit("1\n2\n"), "val/a.JPEG": jpeg });
  assert.match(await messageOf(() => readImageNet(short, "val")), /holds 1 images.*has 2 lines/);
  const number = await folderOf({ ...devkit("1001\n"), "val/a.JPEG": jpeg });
  assert.match(await messageOf(() => readImageNet(number, "val")), /line 1 of .*"1001" is no ILSV/);
  const only = ["n00000000"];
  assert.match(
    await messageOf(async () => readImageNet(await foldered(), "train", { only })),
    /class n00000000 .* not among the 3 classes/,
  );
});

Deno.test("viewOfClasses() relabels the chosen classes and says their logits", async () => {
  const whole = await readImageNet(await foldered(), "train");
  const view = viewOfClasses(whole, {
    name: "imagenet2/train",
    classes: [{ id: "n04548280", name: "Wall Clock" }, { id: "n01440764", name: "Tench" }],
  });
  assert.deepEqual(view.images.ids, [0, 1, 3].map((i) => whole.images.ids[i]));
  assert.deepEqual([...view.labels], [1, 1, 0]);
  assert.deepEqual([...view.rows], [2, 0]);
  assert.equal(view.classes[0]?.name, "Wall Clock");
  assert.deepEqual(await view.images.read(2), jpeg);
  assert.throws(
    () => viewOfClasses(whole, { name: "v", classes: [{ id: "n02119789", name: "Kit Fox" }] }),
    /the class n02119789 is not in imagenet\/train/,
  );
});

Deno.test("viewOfClasses() refuses a class without images", async () => {
  const whole = await readImageNet(await foldered(), "train", { only: ["n01440764"] });
  assert.throws(
    () => viewOfClasses(whole, { name: "v", classes: [{ id: "n04548280", name: "Wall Clock" }] }),
    /no image of the class n04548280 \(Wall Clock\)/,
  );
});
