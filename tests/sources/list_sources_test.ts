import assert from "node:assert/strict";
import { fetchSources, listSources } from "../../lib/sources/mod.ts";
import { inRoom, states } from "./_room.ts";

Deno.test("listSources() says what is there, begun or missing, and how to get it", async () => {
  await inRoom(async ({ root, sources, options }) => {
    await fetchSources(sources.slice(0, 1), options);
    await Deno.writeTextFile(`${root}/downloads/zipdata.part`, "x");
    assert.deepEqual(await states(sources, root), {
      plain: "present",
      zipped: "missing",
      zipdata: "partial",
      tgzdata: "missing",
      model: "missing",
      registered: "missing",
    });
    const listed = await listSources(sources, { root });
    assert.equal(listed[0]!.where, `${root}/weights/plain.pth`);
    assert.equal(listed[1]!.where, "deno task data fetch zipped");
    assert.equal(listed[5]!.where, "Register and download it.");
  });
});
