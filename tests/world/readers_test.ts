import assert from "node:assert/strict";
import { join } from "node:path";
import { singleConceptImages } from "../../lib/concepts/mod.ts";
import {
  readBroden,
  readCifar100,
  readCub200,
  readImageNet,
  scanBrodenLabels,
} from "../../lib/datasets/mod.ts";
import {
  brodenImages,
  cifarImages,
  imageNetImages,
  renderImage,
  worldClasses,
  worldConcepts,
} from "../../lib/world/mod.ts";
import { smallWorld, withWorld } from "./_world_files.ts";

/** The cells of a csv file without quotes, by column, a record a row. */
async function readCsv(root: string, file: string): Promise<Record<string, string>[]> {
  const [header, ...lines] = (await Deno.readTextFile(join(root, file))).trimEnd().split("\n");
  const columns = header!.split(",");
  return lines.map((line) =>
    Object.fromEntries(line.split(",").map((cell, i) => [columns[i]!, cell]))
  );
}

Deno.test("writeWorld() writes a Broden whose single concepts are the world's", async () => {
  await withWorld({ config: smallWorld, datasets: ["broden"] }, async (root) => {
    const broden = await readBroden(join(root, "broden"));
    const labels = await scanBrodenLabels(broden);
    const { concepts: found } = singleConceptImages(broden, labels, {
      categories: "all",
      minimumMaskFraction: 0,
      minimumImages: 1,
    });
    assert.deepEqual(
      found.map(({ concept, images }) => [concept.number, concept.name, images.length]),
      worldConcepts().map(({ number, name }) => [number, name, 2]),
    );
    for (const { concept, images } of found) {
      for (const index of images) {
        const image = brodenImages(smallWorld).find(({ name }) =>
          `${name}.jpg` === broden.images.ids[index]
        )!;
        assert.equal(image.labelled[0], concept.category);
      }
    }
  });
});

Deno.test("writeWorld() counts Broden's labels and their pixels as the masks have them", async () => {
  await withWorld({ config: smallWorld, datasets: ["broden"] }, async (root) => {
    const folder = join(root, "broden");
    const found = (await scanBrodenLabels(await readBroden(folder))).flat();
    for (const row of await readCsv(folder, "label.csv")) {
      const uses = found.filter(({ number }) => number === Number(row.number));
      const coverage = uses.reduce((sum, { fraction }) => sum + fraction, 0);
      assert.ok(Math.abs(coverage - Number(row.coverage)) < 1e-5, row.name);
      assert.equal(uses.length, Number(row.frequency), row.name);
      const [code] = (await readCsv(folder, `c_${row.category!.split("(")[0]}.csv`))
        .filter(({ number }) => number === row.number);
      assert.equal(code!.frequency, row.frequency);
    }
    const rows = await readCsv(folder, "index.csv");
    const columns = "image,split,ih,iw,sh,sw,color,object,part,material,scene,texture".split(",");
    assert.deepEqual(Object.keys(rows[0]!), columns);
    const planes = rows.map((row) => row.part!.split(";").length);
    assert.ok(planes.includes(2), "an image with two planes of parts");
  });
});

Deno.test("writeWorld() writes an ImageNet whose truth is in factors.csv", async () => {
  await withWorld({ config: smallWorld, datasets: ["imagenet"] }, async (root) => {
    const folder = join(root, "imagenet");
    const truth = new Map((await readCsv(folder, "factors.csv")).map((row) => [row.image, row]));
    for (const split of ["train", "val"] as const) {
      const { images, classes, labels } = await readImageNet(folder, split);
      assert.equal(images.ids.length, split === "train" ? 80 : 40);
      assert.deepEqual(
        classes.map(({ id }) => id),
        worldClasses().map(({ id }) => id),
      );
      for (const [i, id] of images.ids.entries()) {
        const row = truth.get(`${split}/${id.replace(`${split}/`, "")}`)!;
        assert.equal(row.class, classes[labels[i]!]!.id);
        assert.equal(row.object, worldClasses()[labels[i]!]!.factors.object);
      }
    }
  });
});

Deno.test("writeWorld() encodes ImageNet's images nearly as rendered", async () => {
  await withWorld({ config: smallWorld, datasets: ["imagenet"] }, async (root) => {
    const { images } = await readImageNet(join(root, "imagenet"), "train");
    for (const image of imageNetImages(smallWorld, "train").slice(0, 5)) {
      const index = images.ids.findIndex((id) => image.path.endsWith(id));
      const decoded = await images.decode(await images.read(index), image.path);
      const { data } = renderImage(image.factors, { random: image.random, size: 32 });
      const error = data.reduce((sum, v, i) => sum + Math.abs(v - decoded.data[i]!), 0);
      assert.ok(error / data.length < 4, `${error / data.length}`);
    }
  });
});

Deno.test("writeWorld() writes CIFAR-100's records pixel for pixel", async () => {
  await withWorld({ config: smallWorld, datasets: ["cifar100"] }, async (root) => {
    const { images, labels, classes } = await readCifar100(join(root, "cifar100"), "train");
    assert.equal(labels.length, 200);
    for (const [i, image] of cifarImages(smallWorld, "train").entries()) {
      assert.equal(classes[labels[i]!]!.id, image.class.id);
      if (i % 50 !== 0) continue;
      const decoded = await images.decode(await images.read(i), images.ids[i]!);
      const { factors, random } = image;
      assert.deepEqual(decoded.data, renderImage(factors, { random, size: 32 }).data);
    }
  });
});

Deno.test("writeWorld() writes a CUB-200-2011 with boxes about its birds", async () => {
  await withWorld({ config: smallWorld, datasets: ["cub200"] }, async (root) => {
    const folder = join(root, "cub200");
    const train = await readCub200(folder, "train");
    const test = await readCub200(folder, "test");
    assert.deepEqual([train.labels.length, test.labels.length], [40, 20]);
    assert.equal(train.classes[0]!.name, "Red Striped Eyed Ball Bird");
    const boxes = (await Deno.readTextFile(join(folder, "bounding_boxes.txt"))).trimEnd()
      .split("\n").map((line) => line.split(" ").map(Number));
    const truth = await readCsv(folder, "factors.csv");
    for (const [i, [number, left, top, width, height]] of boxes.entries()) {
      assert.equal(number, i + 1);
      assert.ok(left! >= 0 && top! >= 0 && left! + width! <= 32 && top! + height! <= 32);
      // The middle of a bird lies in its box.
      const x = (Number(truth[i]!.x) + 1) * 16, y = (Number(truth[i]!.y) + 1) * 16;
      assert.ok(left! <= x && x <= left! + width! && top! <= y && y <= top! + height!);
    }
  });
});
