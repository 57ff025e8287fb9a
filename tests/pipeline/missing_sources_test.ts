import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { buildPlan, experimentIds } from "../../lib/pipeline/mod.ts";
import { readSources } from "../../lib/sources/mod.ts";
import { openDigests } from "../../lib/store/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const repository = join(import.meta.dirname!, "..", "..");
const root = await temporaryFolder();
for (const folder of ["configs", "experiments"]) {
  await cp(join(repository, folder), join(root, folder), { recursive: true });
}

/** The names of what a table or figure needs that is not there. */
async function missing(id: string): Promise<string[]> {
  const plan = await buildPlan(
    { root, profile: "paper", experiments: [id], engine: "ort", device: "cpu" },
    { digests: openDigests(join(root, ".cache")) },
  );
  return plan.missing.map(({ source: { name } }) => name);
}

Deno.test("missingSources() asks where nothing is for what configs/sources.json says of each table", async () => {
  const sources = await readSources(join(root, "configs"));
  const ofPaper = experimentIds(root).filter((id) => /^(table|figure)/.test(id));
  assert.ok(ofPaper.length >= 17);
  for (const id of ofPaper) {
    const named = sources.filter(({ neededBy }) => neededBy.includes(id));
    assert.deepEqual((await missing(id)).sort(), named.map(({ name }) => name).sort(), id);
  }
});

Deno.test("missingSources() takes a dataset's folder with classes of one's choice for the dataset", async () => {
  const data = join(root, "data");
  const datasets = async (id: string) =>
    (await missing(id)).filter((name) => /^(broden|imagenet|cub|cifar)/.test(name));
  await Deno.mkdir(join(data, "imagenet", "val", "n02087046"), { recursive: true });
  assert.deepEqual(await datasets("table1"), ["broden"]);
  assert.deepEqual(await datasets("table3"), ["imagenet_train"], "the other split is asked for");
  await Deno.mkdir(join(data, "imagenet", "train", "n02087046"), { recursive: true });
  assert.deepEqual(await datasets("table3"), []);
  await Deno.mkdir(join(data, "CUB_200_2011", "images"), { recursive: true });
  assert.deepEqual(await datasets("table6"), ["cub200"], "without its lists it is not the dataset");
});
