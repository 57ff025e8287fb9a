import assert from "node:assert/strict";
import { fetchSources, listSources, type Source, useOwnCopies } from "../../lib/sources/mod.ts";
import { checks, hex, inRoom, plain, states } from "./_room.ts";

Deno.test("useOwnCopies() links what it recognises in a folder of the user's", async () => {
  await inRoom(async ({ root, sources, options }) => {
    const own = await Deno.makeTempDir();
    try {
      const published = `plain-${hex("sha256", plain).slice(0, 8)}.pth`;
      await Deno.writeFile(`${own}/${published}`, plain);
      await Deno.writeFile(`${own}/packed.pth`, plain);
      for (const folder of ["registered/train", "registered/val", "org/model/onnx", "tgzdata"]) {
        await Deno.mkdir(`${own}/${folder}`, { recursive: true });
      }
      await Deno.writeTextFile(`${own}/org/model/config.json`, "{}");
      await Deno.writeTextFile(`${own}/org/model/onnx/model.onnx`, "onnx");
      const copies = await useOwnCopies(own, { sources, root });
      assert.deepEqual(copies.map(({ name, path }) => [name, path]), [
        ["plain", `${own}/${published}`],
        ["zipped", `${own}/packed.pth`],
        ["model", `${own}/org/model`],
        ["registered", `${own}/registered`],
      ]);
      assert.match(copies[1]!.refused!, /expected SHA-1/);
      assert.deepEqual(await Deno.readFile(`${root}/weights/plain.pth`), plain);
      assert.equal(await Deno.readTextFile(`${root}/hub/org/model/config.json`), "{}");
      const found = await states(sources, root);
      assert.equal(found["registered"], "own copy");
      assert.equal(found["zipped"], "missing");
      assert.deepEqual(await checks(sources, root), {
        plain: "right",
        zipped: "missing",
        zipdata: "missing",
        tgzdata: "missing",
        model: "unverified",
        registered: "unverified",
      });
      const [fetched] = await fetchSources(sources.slice(0, 1), { ...options, offline: true });
      assert.equal(fetched!.status, "present");
      // Naming the folder of the dataset itself does too, and replaces the link.
      const again = await useOwnCopies(`${own}/registered`, { sources, root });
      assert.deepEqual(again.map(({ path }) => path), [`${own}/registered`]);
    } finally {
      await Deno.remove(own, { recursive: true });
    }
  });
});

Deno.test("useOwnCopies() refuses a folder without anything, and never replaces data", async () => {
  await inRoom(async ({ root, sources, options }) => {
    await assert.rejects(useOwnCopies(`${root}/none`, { sources, root }), /is no folder/);
    await assert.rejects(useOwnCopies(root, { sources, root }), /holds nothing that is needed/);
    await fetchSources(sources.slice(2, 3), options);
    const own = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${own}/zipdata`);
      await Deno.writeTextFile(`${own}/zipdata/a.txt`, "other");
      const [copy] = await useOwnCopies(own, { sources: sources.slice(2, 3), root });
      assert.match(copy!.refused!, /is there already/);
      assert.equal(await Deno.readTextFile(`${root}/zipdata/a.txt`), "alpha\n");
    } finally {
      await Deno.remove(own, { recursive: true });
    }
  });
});

Deno.test("useOwnCopies() joins the parts of a dataset from different folders", async () => {
  const part = (name: string, markers: string[], split?: string): Source => ({
    name,
    part: { dataset: "images", split },
    neededBy: [],
    licence: "",
    megabytes: 1,
    path: "images",
    markers,
    origin: { kind: "manual", how: "" },
  });
  const sources = [
    part("images_train", ["train/a"], "train"),
    part("images_val", ["val/1.JPEG or val/a"], "val"),
    part("images_names", ["names.txt or kit"]),
  ];
  const own = await Deno.makeTempDir();
  const root = `${own}/data`;
  const names = async (folder: string) => {
    const copies = await useOwnCopies(`${own}/${folder}`, { sources, root });
    return copies.map(({ name, refused }) => refused === undefined ? name : `${name}: ${refused}`);
  };
  try {
    for (const folder of ["one/train/a", "two/val/a", "two/train", "three/kit"]) {
      await Deno.mkdir(`${own}/${folder}`, { recursive: true });
    }
    assert.deepEqual(await names("two"), ["images_val"]);
    const listed = await listSources(sources, { root });
    assert.deepEqual(listed.map(({ state }) => state), ["missing", "own copy", "missing"]);
    assert.deepEqual(await names("one"), ["images_train"]);
    assert.deepEqual(await names("three"), ["images_names"]);
    assert.ok((await listSources(sources, { root })).every(({ state }) => state === "own copy"));
    const entries = await Array.fromAsync(Deno.readDir(`${root}/images`), ({ name }) => name);
    assert.deepEqual(entries.sort(), ["kit", "train", "val"]);
    // A folder that is itself a link belongs to somebody else: nothing is removed or made in it.
    await Deno.remove(`${root}/images`, { recursive: true });
    await Deno.symlink(`${own}/one`, `${root}/images`);
    assert.match((await names("two"))[0]!, /images_val: .*is a link to another folder/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${own}/one`), ({ name }) => name), [
      "train",
    ]);
  } finally {
    await Deno.remove(own, { recursive: true });
  }
});
