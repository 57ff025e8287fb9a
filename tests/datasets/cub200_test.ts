import assert from "node:assert/strict";
import { readCub200 } from "../../lib/datasets/mod.ts";
import { folderOf, messageOf } from "./_folders.ts";

const jpeg = await Deno.readFile("tests/fixtures/data/images/size64x64.jpg");

const files = {
  "images.txt": "1 002.Crow/b.jpg\n2 001.Black_footed_Albatross/a.jpg\n3 002.Crow/a.jpg\n",
  "image_class_labels.txt": "1 2\n2 1\n3 2\n",
  "train_test_split.txt": "1 1\n2 0\n3 1\n",
  "classes.txt": "1 001.Black_footed_Albatross\n2 002.Crow\n",
  "images/001.Black_footed_Albatross/a.jpg": jpeg,
};

Deno.test("readCub200() follows the official split, sorted by path", async () => {
  const root = await folderOf(files);
  const train = await readCub200(root, "train");
  assert.deepEqual(train.images.ids, ["002.Crow/a.jpg", "002.Crow/b.jpg"]);
  assert.deepEqual([...train.labels], [1, 1]);
  assert.deepEqual(train.classes, [
    { id: "001.Black_footed_Albatross", name: "Black footed Albatross" },
    { id: "002.Crow", name: "Crow" },
  ]);
  const test = await readCub200(root, "test");
  assert.deepEqual([...test.labels], [0]);
  assert.deepEqual(await test.images.read(0), jpeg);
});

Deno.test("readCub200() names the missing image, file and line", async () => {
  const root = await folderOf(files);
  const train = await readCub200(root, "train");
  assert.match(await messageOf(() => train.images.read(0)), /image 002\.Crow\/a\.jpg: there is no/);
  const { "classes.txt": _, ...others } = files;
  const unnamed = await folderOf(others);
  assert.match(await messageOf(() => readCub200(unnamed, "test")), /no classes\.txt in/);
  const unsplit = await folderOf({ ...files, "train_test_split.txt": "1 1\n3 1\n" });
  assert.match(
    await messageOf(() => readCub200(unsplit, "test")),
    /train_test_split\.txt has no line for image 2/,
  );
  const unlisted = await folderOf({ ...files, "image_class_labels.txt": "1 2\n2 7\n3 2\n" });
  assert.match(await messageOf(() => readCub200(unlisted, "test")), /class 7 of image 2 is not in/);
  const malformed = await folderOf({ ...files, "images.txt": "1 002.Crow/b.jpg\ncrow\n" });
  assert.match(await messageOf(() => readCub200(malformed, "test")), /line 2 of .*images\.txt/);
});
