import assert from "node:assert/strict";
import { listSources, readSources, sourcesNeeded } from "../../lib/sources/mod.ts";

const configs = new URL("../../configs", import.meta.url).pathname;
const sources = await readSources(configs);
const byName = new Map(sources.map((source) => [source.name, source]));

Deno.test("readSources() has an entry for every backbone, dataset and VL model config", async () => {
  const named = async (room: string) =>
    await Array.fromAsync(Deno.readDir(`${configs}/${room}`), ({ name }) => name.slice(0, -5));
  // The world, its CLIPs and a view of ImageNet are made here.
  const isMade = (name: string) => /^world(_|$)/.test(name) || name === "imagenet40";
  const expected = (await Promise.all(["backbones", "datasets", "vl"].map(named))).flat();
  const given = new Set(sources.map(({ name, part }) => part?.dataset ?? name));
  assert.deepEqual(
    [...given].sort(),
    expected.filter((name) => !isMade(name)).sort(),
  );
});

Deno.test("readSources() knows a checksum for every download but Broden and the hub's", () => {
  for (const { name, origin } of sources) {
    if (origin.kind === "hub") assert.match(origin.revision, /^(main|[0-9a-f]{40})$/);
    else if (origin.kind !== "manual" && name !== "broden") {
      assert.ok(Object.values(origin.hashes).some((hash) => hash !== undefined), name);
      assert.match(origin.url, /^https:/);
    }
  }
});

Deno.test("readSources() says where each kind comes from and goes to", () => {
  assert.deepEqual(byName.get("resnet18")!.origin, {
    kind: "file",
    url: "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    hashes: { sha256Prefix: "f37072fd", sha1: undefined },
  });
  assert.deepEqual(byName.get("resnet10_cub")!.origin, {
    kind: "zipped",
    url:
      "https://github.com/osmr/imgclsmob/releases/download/v0.0.335/resnet10_cub-2777-4525b593.pth.zip",
    entry: "resnet10_cub-2777-4525b593.pth",
    hashes: { sha1: "4525b5932665698b3f4551dde99d22ce03878172", sha256Prefix: undefined },
  });
  const paths = ["resnet18", "broden", "imagenet_val", "cub200", "cifar100", "clip_vit_l_14"];
  assert.deepEqual(paths.map((name) => byName.get(name)!.path), [
    "weights/resnet18.pth",
    "broden1_224",
    "imagenet",
    "CUB_200_2011",
    "cifar-100-binary",
    "hub/Xenova/clip-vit-large-patch14",
  ]);
});

Deno.test("listSources() tells how to get each part of ImageNet, which needs a registration", async () => {
  const parts = sources.filter(({ part }) => part?.dataset === "imagenet");
  assert.deepEqual(parts.map(({ name }) => name), [
    "imagenet_train",
    "imagenet_val",
    "imagenet_devkit",
  ]);
  for (const { state, where } of await listSources(parts, { root: "/none" })) {
    assert.equal(state, "missing");
    assert.match(
      where,
      /^Register at image-net\.org.* \(MD5 [0-9a-f]{32}\)\. .*data:where FOLDER$/,
    );
  }
});

Deno.test("readSources() asks ImageNet's training images of the tables that correct models", () => {
  const needs = (table: string) =>
    sources.filter(({ neededBy }) => neededBy.includes(table)).map(({ name }) => name);
  const total = (table: string) =>
    sources.filter(({ neededBy, part }) => part && neededBy.includes(table))
      .reduce((sum, { megabytes }) => sum + megabytes, 0);
  for (const id of [1, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16]) {
    const names = needs(`table${id}`);
    assert.ok(names.includes("imagenet_val") && names.includes("imagenet_devkit"), `${id}`);
    assert.ok(!names.includes("imagenet_train"), `${id}`);
    assert.equal(Math.round(total(`table${id}`) / 100) / 10, 6.7);
  }
  for (const id of [3, 4, 5, 17]) {
    assert.equal(Math.round(total(`table${id}`) / 100) / 10, 154.6);
  }
});

Deno.test("sourcesNeeded() takes a dataset's splits by name and what every split needs", () => {
  const names = (needs: Parameters<typeof sourcesNeeded>[1]) =>
    sourcesNeeded(sources, needs).map(({ name }) => name);
  assert.deepEqual(names([{ name: "imagenet", splits: ["val"] }, { name: "resnet18" }]), [
    "imagenet_val",
    "imagenet_devkit",
    "resnet18",
  ]);
  assert.deepEqual(names([{ name: "imagenet" }]), [
    "imagenet_train",
    "imagenet_val",
    "imagenet_devkit",
  ]);
  assert.deepEqual(names([{ name: "imagenet_val" }]), [], "a need is named as in configs/");
  assert.deepEqual(names([{ name: "mine" }, { name: "broden" }]), ["broden"]);
  assert.deepEqual(names([]), []);
});
