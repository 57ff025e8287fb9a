import assert from "node:assert/strict";
import { join } from "node:path";
import {
  backboneSchema,
  correctionSchema,
  datasetSchema,
  hubModelSchema,
  loadConfig,
  methodSchema,
  profileSchema,
  promptsSchema,
  sourcesSchema,
  worldSchema,
} from "../../lib/config/mod.ts";

const root = join(import.meta.dirname!, "..", "..");

async function jsonFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(join(root, folder))) {
    if (name.endsWith(".json")) names.push(`${folder}/${name}`);
  }
  return names.sort();
}

const schemas = [
  ["configs/backbones", backboneSchema, 19],
  ["configs/corrections", correctionSchema, 13],
  ["configs/methods", methodSchema, 8],
  ["configs/profiles", profileSchema, 2],
  ["configs/vl", hubModelSchema, 9],
] as const;

for (const [folder, schema, count] of schemas) {
  Deno.test(`every file of ${folder} follows its schema and is named by its id`, async () => {
    const files = await jsonFiles(folder);
    assert.ok(files.length >= count, `${files.length} files`);
    for (const file of files) {
      const config = await loadConfig(join(root, file), schema);
      assert.equal(`${folder}/${"id" in config ? config.id : config.name}.json`, file);
    }
  });
}

Deno.test("the files of configs/datasets, sources and prompts follow their schemas", async () => {
  for (const file of await jsonFiles("configs/datasets")) {
    const schema = file.endsWith("/world.json") ? worldSchema : datasetSchema;
    await loadConfig(join(root, file), schema);
  }
  await loadConfig(join(root, "configs/sources.json"), sourcesSchema);
  const { ensemble } = await loadConfig(join(root, "configs/paper/prompts.json"), promptsSchema);
  assert.equal(ensemble.length, 29, "Table 19 prints 29 templates");
});

Deno.test("every assumed value says why", async () => {
  const folders = [
    "configs/corrections",
    "configs/methods",
    "configs/datasets",
    "configs/backbones",
    "experiments/base",
  ];
  for (const folder of folders) {
    for (const file of await jsonFiles(folder)) {
      const text = await Deno.readTextFile(join(root, file));
      const assumed = text.match(/"source": "assumed"/g)?.length ?? 0;
      assert.equal(text.match(/"source": "assumed",\s*"why": "/g)?.length ?? 0, assumed, file);
    }
  }
});
