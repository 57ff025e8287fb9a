import assert from "node:assert/strict";
import { listSources, readSources } from "../../lib/sources/mod.ts";

const configs = new URL("../../configs", import.meta.url).pathname;
const sources = await readSources(configs);
const byName = new Map(sources.map((source) => [source.name, source]));

Deno.test("readSources() has an entry for every backbone, dataset and VL model config", async () => {
  const named = async (room: string) =>
    await Array.fromAsync(Deno.readDir(`${configs}/${room}`), ({ name }) => name.slice(0, -5));
  // The world and a view of ImageNet are made here.
  const made = ["world", "world_clip", "imagenet40"];
  const expected = (await Promise.all(["backbones", "datasets", "vl"].map(named))).flat();
  assert.deepEqual(
    [...byName.keys()].sort(),
    expected.filter((name) => !made.includes(name)).sort(),
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
  const paths = ["resnet18", "broden", "imagenet", "cub200", "cifar100", "clip_vit_l_14"];
  assert.deepEqual(paths.map((name) => byName.get(name)!.path), [
    "weights/resnet18.pth",
    "broden1_224",
    "imagenet",
    "CUB_200_2011",
    "cifar-100-binary",
    "hub/Xenova/clip-vit-large-patch14",
  ]);
});

Deno.test("listSources() tells how to get ImageNet, which needs a registration", async () => {
  const [imagenet] = await listSources([byName.get("imagenet")!], { root: "/none" });
  assert.equal(imagenet!.state, "missing");
  assert.match(imagenet!.where, /Register at image-net\.org.*data:where FOLDER/);
});
