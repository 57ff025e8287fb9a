import assert from "node:assert/strict";
import { join } from "node:path";
import { writeWorld } from "../../lib/world/mod.ts";
import { hashFiles, smallWorld, withWorld } from "./_world_files.ts";

Deno.test("writeWorld() writes the same bytes for the same config", async () => {
  await withWorld({ config: smallWorld }, async (first) => {
    await withWorld({ config: smallWorld }, async (second) => {
      const hashes = await hashFiles(first);
      assert.deepEqual(await hashFiles(second), hashes);
      // Broden 49 x 2 + 6, ImageNet 40 x 3, CUB 20 x 3.
      const images = [...hashes.keys()].filter((path) => /\.(jpg|JPEG)$/.test(path));
      assert.equal(images.length, 104 + 120 + 60);
    });
  });
});

Deno.test("writeWorld() writes other images for another seed", async () => {
  await withWorld({ config: smallWorld }, async (first) => {
    await withWorld({ config: { ...smallWorld, seed: 8 } }, async (second) => {
      const hashes = await hashFiles(second);
      for (const [path, hash] of await hashFiles(first)) {
        if (/\.(JPEG|jpg|bin)$/.test(path)) assert.notEqual(hashes.get(path), hash, path);
      }
    });
  });
});

Deno.test("writeWorld() writes the first images of a larger world as those of a smaller", async () => {
  const larger = {
    ...smallWorld,
    broden: { ...smallWorld.broden, imagesPerConcept: 3, mixedImages: 8 },
    imagenet: { ...smallWorld.imagenet, trainPerClass: 3, valPerClass: 2 },
    cub200: { ...smallWorld.cub200, trainPerClass: 3, testPerClass: 2 },
    cifar100: { ...smallWorld.cifar100, trainPerClass: 3, testPerClass: 2 },
  };
  await withWorld({ config: smallWorld }, async (small) => {
    await withWorld({ config: larger }, async (large) => {
      const hashes = await hashFiles(large);
      for (const [path, hash] of await hashFiles(small)) {
        if (/\.(JPEG|jpg|png)$/.test(path)) assert.equal(hashes.get(path), hash, path);
      }
      for (const split of ["train", "test"]) {
        const path = join("cifar100", `${split}.bin`);
        const records = await Deno.readFile(join(small, path));
        const more = await Deno.readFile(join(large, path));
        assert.deepEqual(more.subarray(0, records.length), records);
      }
    });
  });
});

Deno.test("writeWorld() reports every image once", async () => {
  const root = await Deno.makeTempDir();
  const reports: [number, number][] = [];
  try {
    await writeWorld(root, smallWorld, {
      datasets: ["broden", "cub200"],
      onProgress: (done, total) => reports.push([done, total]),
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
  // 49 concepts of 2 images and 6 mixed ones; 20 species of 2 + 1.
  assert.deepEqual(reports, Array.from({ length: 164 }, (_, i) => [i + 1, 164]));
});

Deno.test("writeWorld() stops at a file that it cannot write, and starts no other", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(root, "imagenet"), "a file where the folder should be");
    let done = 0;
    const writing = writeWorld(root, smallWorld, {
      datasets: ["imagenet"],
      onProgress: () => done++,
    });
    await assert.rejects(writing, (error: Error & { code: string }) => {
      assert.match(error.message, /imagenet/);
      return ["ENOTDIR", "EEXIST"].includes(error.code);
    });
    assert.equal(done, 0);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
