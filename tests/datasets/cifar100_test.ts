import assert from "node:assert/strict";
import { readCifar100 } from "../../lib/datasets/mod.ts";
import { folderOf, messageOf } from "./_folders.ts";

/** A record whose pixel i of channel c is (i + 100 c) mod 256. */
function record(fine: number): number[] {
  const planes = [0, 1, 2].flatMap((channel) =>
    Array.from({ length: 1024 }, (_, i) => (i + 100 * channel) % 256)
  );
  return [19, fine, ...planes];
}

const names = "apple\naquarium_fish\nbaby\n";

Deno.test("readCifar100() reads fine labels and planes", async () => {
  const root = await folderOf({
    "fine_label_names.txt": names,
    "train.bin": Uint8Array.from([...record(2), ...record(1)]),
  });
  const { images, classes, labels } = await readCifar100(root, "train");
  assert.deepEqual(images.ids, ["train/0", "train/1"]);
  assert.deepEqual([...labels], [2, 1]);
  assert.deepEqual(classes[1], { id: "aquarium_fish", name: "aquarium fish" });
  const bytes = await images.read(1);
  assert.deepEqual([...bytes], record(1).slice(2));
  const { width, height, data } = await images.decode(bytes, "train/1");
  assert.deepEqual([width, height], [32, 32]);
  assert.deepEqual([...data.subarray(33 * 3, 34 * 3)], [33, 133, 233]);
});

Deno.test("readCifar100() reads labels across its blocks of records", async () => {
  const bin = new Uint8Array(1100 * 3074);
  const expected = Array.from({ length: 1100 }, (_, i) => i % 3);
  for (const [i, label] of expected.entries()) bin[i * 3074 + 1] = label;
  const root = await folderOf({ "fine_label_names.txt": names, "test.bin": bin });
  const { images, labels } = await readCifar100(root, "test");
  assert.deepEqual([...labels], expected);
  assert.equal(images.ids[7], "test/0007");
  assert.deepEqual(images.ids, [...images.ids].sort());
});

Deno.test("readCifar100() names what is missing or malformed", async () => {
  const empty = await folderOf({});
  assert.match(await messageOf(() => readCifar100(empty, "test")), /no fine_label_names\.txt/);
  const noBin = await folderOf({ "fine_label_names.txt": names });
  assert.match(await messageOf(() => readCifar100(noBin, "test")), /no .*test\.bin/);
  const odd = await folderOf({ "fine_label_names.txt": names, "test.bin": new Uint8Array(3073) });
  assert.match(await messageOf(() => readCifar100(odd, "test")), /3073 bytes, which is no whole/);
  const high = await folderOf({
    "fine_label_names.txt": names,
    "test.bin": Uint8Array.from([...record(0), ...record(3)]),
  });
  assert.match(await messageOf(() => readCifar100(high, "test")), /record 1 .* fine label 3/);
});
