import assert from "node:assert/strict";
import { join } from "node:path";
import { readShownLabels } from "../../lib/datasets/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const label = (number: number, name: string) =>
  [number, { number, name, phrase: name, category: "" }] as const;
const labels = new Map([
  label(1, "red-c"),
  label(2, "star"),
  label(3, "leg"),
  label(4, "street-s"),
]);
const images = { ids: ["b.jpg", "a.jpg", "unknown.jpg"] } as unknown as Parameters<
  typeof readShownLabels
>[1]["images"];

Deno.test("readShownLabels() finds what an image shows, whatever is labelled", async () => {
  const root = await temporaryFolder("shown-labels-");
  await Deno.writeTextFile(
    join(root, "factors.csv"),
    "image,color,object,part,material,scene,texture\n" +
      "a.jpg,red,star,eye;leg,,street,\n" +
      "b.jpg,,,,metal,,\n",
  );
  const shown = await readShownLabels(root, { labels, images });
  assert.deepEqual(shown.map((ofImage) => ofImage.map(({ number }) => number)), [
    [],
    [1, 2, 3, 4],
    [],
  ]);
});

Deno.test("readShownLabels() asks for the file of the truth", async () => {
  const root = await temporaryFolder("shown-labels-");
  await assert.rejects(readShownLabels(root, { labels, images }), /factors\.csv/);
});
