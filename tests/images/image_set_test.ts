import assert from "node:assert/strict";
import { join } from "node:path";
import { readClassFolders, readImageFolder } from "../../lib/datasets/mod.ts";
import { checkImages, readImages, subset } from "../../lib/images/mod.ts";
import { folderOf, messageOf } from "../datasets/_folders.ts";

const jpeg = await Deno.readFile("tests/fixtures/data/images/size64x64.jpg");

Deno.test("readImageFolder() lists the images of all folders, sorted", async () => {
  const root = await folderOf({
    "b.JPG": jpeg,
    "a/z.png": jpeg,
    "a/c/y.webp": jpeg,
    "a/readme.md": "no image",
    "a/c/not_read.BMP": "BM",
    ".cache/x.jpg": jpeg,
  });
  await Deno.symlink(join(root, "a"), join(root, "linked"));
  assert.deepEqual((await readImageFolder(root)).ids, [
    "a/c/not_read.BMP",
    "a/c/y.webp",
    "a/z.png",
    "b.JPG",
    "linked/c/not_read.BMP",
    "linked/c/y.webp",
    "linked/z.png",
  ]);
});

Deno.test("readImageFolder() names a folder that is missing or holds no image", async () => {
  const root = await folderOf({ "a/notes.txt": "" });
  assert.match(await messageOf(() => readImageFolder(root)), /holds no JPEG, PNG/);
  const missing = join(root, "b");
  assert.match(await messageOf(() => readImageFolder(missing)), /there is no folder .*\/b/);
});

Deno.test("readClassFolders() labels by folder", async () => {
  const root = await folderOf({ "dog/1.jpg": jpeg, "cat/1.jpg": jpeg, "cat/0.jpg": jpeg });
  const { images, classes, labels } = readClassFolders(root, {
    name: "pets",
    classNames: new Map([["dog", "good dog"]]),
  });
  assert.deepEqual(images.ids, ["cat/0.jpg", "cat/1.jpg", "dog/1.jpg"]);
  assert.deepEqual(classes, [{ id: "cat", name: "cat" }, { id: "dog", name: "good dog" }]);
  assert.deepEqual([...labels], [0, 0, 1]);
});

const broken = () =>
  folderOf({
    "a.jpg": jpeg,
    "b.jpg": jpeg.subarray(0, 300),
    "c.jpg": jpeg,
    "d.jpg": "text",
    "e.jpg": jpeg,
  });

Deno.test("readImages() yields images in order and reports the skipped by name", async () => {
  const root = await broken();
  const images = await readImageFolder(root);
  await Deno.remove(join(root, "e.jpg"));
  const seen: string[] = [];
  for await (const read of readImages(images, [4, 2, 1, 0, 3], { unreadable: "skip" })) {
    seen.push("unreadable" in read ? `${read.id}: ${read.unreadable.reason}` : read.id);
    if ("image" in read) assert.equal(read.image.data.length, 64 * 64 * 3);
  }
  assert.deepEqual(seen.map((line) => line.slice(0, 5)), [
    "e.jpg",
    "c.jpg",
    "b.jpg",
    "a.jpg",
    "d.jpg",
  ]);
  assert.match(seen[0]!, /e\.jpg: there is no such file/);
  assert.match(seen[4]!, /d\.jpg: it is no image file/);
});

Deno.test("readImages() stops at the first unreadable image under fail", async () => {
  const images = await readImageFolder(await broken());
  const ids: string[] = [];
  const message = await messageOf(async () => {
    for await (const { id } of readImages(images, [0, 2, 1, 3], { unreadable: "fail" })) {
      ids.push(id);
    }
  });
  assert.deepEqual(ids, ["a.jpg", "c.jpg"]);
  assert.match(message, /image b\.jpg: .*"unreadable" to "skip"/);
});

Deno.test("checkImages() tells the readable from the unreadable images", async () => {
  const images = await readImageFolder(await broken());
  const seen: number[] = [];
  const { readable, unreadable } = await checkImages(images, images.ids.keys(), {
    unreadable: "skip",
    onImage: (index) => seen.push(index),
  });
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  assert.deepEqual([...readable], [0, 2, 4]);
  assert.deepEqual(unreadable.map(({ id }) => id), ["b.jpg", "d.jpg"]);
});

Deno.test("checkImages() counts and names all unreadable images under fail", async () => {
  const images = await readImageFolder(await broken());
  const check = () => checkImages(images, images.ids.keys(), { unreadable: "fail" });
  assert.match(await messageOf(check), /Cannot read 2 of 5 images of .*: b\.jpg \(.*d\.jpg \(/);
});

Deno.test("readImages() is never further ahead than its concurrency", async () => {
  let atWork = 0;
  let most = 0;
  const ids = Array.from({ length: 20 }, (_, i) => `${i}`);
  const images = {
    name: "counted",
    ids,
    async read() {
      most = Math.max(most, ++atWork);
      await Promise.resolve();
      return new Uint8Array(1);
    },
    decode: () => {
      atWork--;
      return Promise.resolve({ width: 1, height: 1, data: new Uint8Array(3) });
    },
  };
  const read = readImages(images, ids.keys(), { unreadable: "fail", concurrency: 3 });
  const order: number[] = [];
  for await (const { index } of read) order.push(index);
  assert.deepEqual(order, [...ids.keys()]);
  assert.ok(most <= 3, `${most} at once`);
});

Deno.test("subset() reads the chosen images and refuses others", async () => {
  const images = await readImageFolder(await broken());
  const chosen = subset(images, { name: "two", indices: [2, 0] });
  assert.deepEqual(chosen.ids, ["c.jpg", "a.jpg"]);
  assert.deepEqual(await chosen.read(1), jpeg);
  assert.throws(() => subset(images, { name: "two", indices: [9] }), /no image 9 in .*5 images/);
});
