import assert from "node:assert/strict";
import { checkSources, fetchSources } from "../../lib/sources/mod.ts";
import { checks, inRoom } from "./_room.ts";

Deno.test("checkSources() notices a changed, an added and a missing file", async () => {
  await inRoom(async ({ root, sources, options }) => {
    await fetchSources(sources, options);
    const right = { plain: "right", zipped: "right", zipdata: "right", tgzdata: "right" };
    const all = { ...right, model: "right", registered: "missing" };
    assert.deepEqual(await checks(sources, root), all);
    await Deno.writeTextFile(`${root}/weights/plain.pth`, "changed");
    await Deno.writeTextFile(`${root}/zipdata/more.txt`, "added");
    await Deno.remove(`${root}/tgzdata/Größe.txt`);
    await Deno.writeTextFile(`${root}/hub/org/model/config.json`, "[]");
    assert.deepEqual(await checks(sources, root), {
      plain: "damaged",
      zipped: "right",
      zipdata: "damaged",
      tgzdata: "damaged",
      model: "damaged",
      registered: "missing",
    });
    const [plainCheck] = await checkSources(sources.slice(0, 1), { root });
    assert.match(plainCheck!.reason, /expected SHA-256 .*remove it and run: .*data fetch plain/);
  });
});
