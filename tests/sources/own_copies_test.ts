import assert from "node:assert/strict";
import { fetchSources, useOwnCopies } from "../../lib/sources/mod.ts";
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
