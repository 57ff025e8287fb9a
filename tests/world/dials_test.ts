import assert from "node:assert/strict";
import { join } from "node:path";
import { createRandom } from "../../lib/tensor/mod.ts";
import {
  companionOf,
  type Factors,
  noFactors,
  renderImage,
  worldConcepts,
} from "../../lib/world/mod.ts";
import { hashFiles, smallWorld, withWorld } from "./_world_files.ts";

const many = {
  ...smallWorld,
  imageSize: 16,
  broden: { maskSize: 8, imagesPerConcept: 30, mixedImages: 0 },
};

/** Cells of factors.csv by column, an image each. */
async function factorsOf(coOccurrence: number): Promise<Record<string, string>[]> {
  const config = { ...many, broden: { ...many.broden, coOccurrence } };
  let rows: Record<string, string>[] = [];
  await withWorld({ config, datasets: ["broden"] }, async (root) => {
    const text = await Deno.readTextFile(join(root, "broden", "factors.csv"));
    const [header, ...lines] = text.trim().split("\n").map((line) => line.split(","));
    rows = lines.map((cells) =>
      Object.fromEntries(header!.map((name, column) => [name, cells[column]!]))
    );
  });
  return rows;
}

const folders = ["colors", "objects", "parts", "materials", "scenes", "textures"];
const categoryOf = (folder: string) =>
  ["color", "object", "part", "material", "scene", "texture"][folders.indexOf(folder)]!;

/** Whether each image shows what goes together with the concept that its name has. */
function companionsShown(rows: readonly Record<string, string>[]): boolean[] {
  return rows.map((row) => {
    const [, folder, value] = /^(\w+)\/(.+)_\d+\.jpg$/.exec(row["image"]!)!;
    const category = categoryOf(folder!);
    const concept = worldConcepts().find((other) =>
      other.category === category && other.value.replace(" ", "_") === value
    )!;
    const companion = companionOf(concept);
    assert.notEqual(companion.category, concept.category);
    return row[companion.category] === companion.value;
  });
}

const independent = await factorsOf(0);
const rate = (shown: readonly boolean[]) => shown.filter((is) => is).length / shown.length;

for (const level of [0.5, 0.95]) {
  Deno.test(`brodenImages() show what goes together with a concept as often as ${level} asks`, async () => {
    const rows = await factorsOf(level);
    const [before, after] = [companionsShown(independent), companionsShown(rows)];
    // Those that show it by chance do so still; the standard error of 1470 draws is below 0.013.
    const expected = level + (1 - level) * rate(before);
    assert.ok(Math.abs(rate(after) - expected) < 0.04, `${rate(after)} against ${expected}`);
    for (const [i, row] of rows.entries()) {
      if (before[i]) assert.ok(after[i], row["image"]);
      if (!after[i]) assert.deepEqual(row, independent[i]);
    }
  });
}

Deno.test("companionOf() is one of another category, the same for all images of a concept", () => {
  for (const concept of worldConcepts()) {
    assert.deepEqual(companionOf(concept), companionOf({ ...concept }));
    assert.notEqual(companionOf(concept).category, concept.category);
  }
});

Deno.test("writeWorld() writes the same bytes with every dial at 0 as without", async () => {
  const off = {
    ...smallWorld,
    broden: { ...smallWorld.broden, coOccurrence: 0, variety: 0 },
    imagenet: { ...smallWorld.imagenet, shift: 0 },
  };
  const datasets = ["broden", "imagenet"] as const;
  await withWorld({ config: smallWorld, datasets }, async (first) => {
    await withWorld({ config: off, datasets }, async (second) => {
      assert.deepEqual(await hashFiles(second), await hashFiles(first));
    });
  });
});

const star: Factors = {
  ...noFactors,
  view: "object",
  object: "star",
  color: "red",
  scene: "beach",
};
const random = createRandom("dials test");
const drawn = (i: number, dials: { readonly variety?: number; readonly shift?: number }) =>
  renderImage(star, { random: random.split(i), size: 48, ...dials });
const distance = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
const mean = (data: Uint8Array, channel: number) =>
  data.reduce((sum, value, i) => sum + (i % 3 === channel ? value : 0), 0) / (data.length / 3);

Deno.test("renderImage() bends outlines the more, the more variety there is, and keeps the pose", () => {
  for (let i = 0; i < 5; i++) {
    const [plain, half, full] = [0, 0.5, 1].map((variety) => drawn(i, { variety }));
    assert.deepEqual([half!.pose, half!.light], [plain!.pose, plain!.light]);
    const [little, much] = [half!, full!].map(({ object }) => distance(object, plain!.object));
    assert.ok(0 < little! && little! < much!, `${little} ${much}`);
  }
});

Deno.test("renderImage() bends each image its own way", () => {
  const bends = [0, 1].map((i) => {
    const [plain, bent] = [drawn(i, {}), drawn(i, { variety: 1 })];
    return bent.object.map((cover, pixel) => Math.abs(cover - plain.object[pixel]!));
  });
  assert.ok(distance(bends[0]!, bends[1]!) > 1);
});

Deno.test("renderImage() mixes a shifted image in proportion to the shift", () => {
  for (let i = 0; i < 5; i++) {
    const [plain, half, full] = [0, 0.5, 1].map((shift) => drawn(i, { shift }).data);
    for (let at = 0; at < plain!.length; at++) {
      // A value at the end of the range was cut.
      if (full![at] === 0 || full![at] === 255) continue;
      assert.ok(Math.abs(half![at]! - (plain![at]! + full![at]!) / 2) <= 1.001);
    }
  }
});

Deno.test("renderImage() makes a wholly shifted image darker by channel, and blurred", () => {
  for (let i = 0; i < 5; i++) {
    const [plain, full] = [drawn(i, {}).data, drawn(i, { shift: 1 }).data];
    [0.6, 0.5, 0.35].forEach((kept, channel) => {
      const share = mean(full, channel) / mean(plain, channel);
      assert.ok(Math.abs(share - kept) < 0.06, `${share} of channel ${channel}`);
    });
  }
});

Deno.test("renderImage() leaves masks as they are when it shifts an image", () => {
  assert.deepEqual(drawn(0, { shift: 1 }).object, drawn(0, {}).object);
});
