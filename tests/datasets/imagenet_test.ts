import assert from "node:assert/strict";
import { readImageNet, viewOfClasses } from "../../lib/datasets/mod.ts";
import { folderOf, messageOf } from "./_folders.ts";

const jpeg = await Deno.readFile("tests/fixtures/data/images/size1x40.jpg");
const meta = await Deno.readFile("tests/fixtures/data/devkit/meta.mat");
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
  "ILSVRC2012_devkit_t12/data/meta.mat": meta,
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

Deno.test("readImageNet() reads the flat val folder by the devkit's ground truth", async () => {
  const root = await folderOf({
    ...devkit("4\n1\n3\n"),
    "val/ILSVRC2012_val_00000002.JPEG": jpeg,
    "val/ILSVRC2012_val_00000001.JPEG": jpeg,
    "val/ILSVRC2012_val_00000003.JPEG": jpeg,
  });
  const { images, classes, labels } = await readImageNet(root, "val");
  // The inner node n02084071 is no class.
  assert.deepEqual(classes.map(({ id }) => id), [
    "n01440764",
    "n02100735",
    "n02119789",
    "n04548280",
  ]);
  assert.equal(classes[2]?.name, "kit fox, Vulpes macrotis");
  assert.equal(images.ids[0], "ILSVRC2012_val_00000001.JPEG");
  assert.deepEqual([...labels], [3, 2, 0]);
  const some = await readImageNet(root, "val", { only: ["n02119789"] });
  assert.deepEqual(some.images.ids, ["ILSVRC2012_val_00000002.JPEG"]);
});

Deno.test("readImageNet() says what is missing", async () => {
  const root = await folderOf({ "train/n01440764/a.JPEG": jpeg });
  assert.match(
    await messageOf(() => readImageNet(root, "train")),
    /neither LOC_synset_mapping\.txt nor ILSVRC2012_devkit_t12\//,
  );
  const noSplit = await folderOf({ "LOC_synset_mapping.txt": mapping });
  assert.match(await messageOf(() => readImageNet(noSplit, "val")), /no folder .*\/val/);
  const noClass = await folderOf({
    "LOC_synset_mapping.txt": mapping,
    "train/n01440764/a.JPEG": jpeg,
  });
  assert.match(await messageOf(() => readImageNet(noClass, "train")), /no folder .*n02100735/);
  const flat = await folderOf({ "LOC_synset_mapping.txt": mapping, "val/a.JPEG": jpeg });
  assert.match(await messageOf(() => readImageNet(flat, "val")), /meta\.mat cannot be read/);
});

Deno.test("readImageNet() names what does not fit", async () => {
  const stranger = await folderOf({
    "LOC_synset_mapping.txt": mapping,
    "train/n99999999/a.JPEG": jpeg,
  });
  assert.match(await messageOf(() => readImageNet(stranger, "train")), /n99999999 is no class/);
  const line = await folderOf({ "LOC_synset_mapping.txt": "n01440764 tench\ntench\n" });
  assert.match(await messageOf(() => readImageNet(line, "train")), /line 2 of .*mapping\.txt/);
  const short = await folderOf({ ...devkit("1\n2\n"), "val/a.JPEG": jpeg });
  assert.match(await messageOf(() => readImageNet(short, "val")), /holds 1 images.*has 2 lines/);
  const number = await folderOf({ ...devkit("5\n"), "val/a.JPEG": jpeg });
  assert.match(await messageOf(() => readImageNet(number, "val")), /line 1 of .*"5" is no class/);
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
