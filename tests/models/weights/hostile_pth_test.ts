import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { UserError } from "../../../lib/files/mod.ts";
import { loadWeights } from "../../../lib/models/weights/mod.ts";

const fixture = new URL("../../fixtures/models/hostile-pth.json.gz", import.meta.url);
const corpus = JSON.parse(gunzipSync(await Deno.readFile(fixture)).toString()) as {
  name: string;
  ending: string;
  refused: string;
  bytes: string;
}[];

Deno.test("loadWeights() refuses every file of the hostile corpus", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    for (const { name, ending, refused, bytes } of corpus) {
      await t.step(name, async () => {
        const path = `${folder}/weights${ending}`;
        await Deno.writeFile(path, Uint8Array.fromBase64(bytes));
        await assert.rejects(loadWeights(path), (error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, new RegExp(refused));
          assert.ok(error.message.length < 500, error.message);
          return true;
        });
      });
    }
    await assert.rejects(Deno.stat("HOSTILE_PTH_RAN"), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
