import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { loadConfig, nearest, oneOf, plain, provenance, sourced } from "../../lib/config/mod.ts";
import { UserError } from "../../lib/files/mod.ts";

const schema = z.strictObject({
  name: z.string(),
  rate: sourced(z.number()),
  sizes: z.strictObject({ small: z.number(), large: z.number() }),
});

async function folderOf(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (const [name, content] of Object.entries(files)) {
    await Deno.writeTextFile(
      join(folder, name),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
  return folder;
}

const base = {
  name: "base",
  rate: { value: 1, source: "assumed", why: "a guess" },
  sizes: { small: 1, large: 2 },
};

Deno.test("loadConfig() merges a delta over its base: objects by key, sourced values whole", async () => {
  const folder = await folderOf({
    "base.json": base,
    "delta.json": {
      extends: "base.json",
      rate: { value: 3, source: "paper Section 4" },
      sizes: { large: 5 },
    },
  });
  assert.deepEqual(await loadConfig(join(folder, "delta.json"), schema), {
    name: "base",
    rate: { value: 3, source: "paper Section 4" },
    sizes: { small: 1, large: 5 },
  });
});

Deno.test("loadConfig() names file and field of what is wrong", async () => {
  const folder = await folderOf({
    "type.json": { ...base, sizes: { small: "one", large: 2 } },
    "unknown.json": { ...base, sise: 3 },
    "source.json": { ...base, rate: { value: 1, source: "somewhere" } },
    "syntax.json": '{ "name": ',
    "loop.json": { extends: "loop.json" },
  });
  const cases = {
    "type.json": /type\.json failed at sizes\.small/,
    "unknown.json": /unknown\.json.*sise/,
    "source.json": /source\.json failed at rate\.source/,
    "syntax.json": /syntax\.json is not JSON/,
    "loop.json": /loop\.json failed at extends/,
    "missing.json": /missing\.json does not exist/,
  };
  for (const [name, message] of Object.entries(cases)) {
    await assert.rejects(
      loadConfig(join(folder, name), schema),
      (error: Error) => error instanceof UserError && message.test(error.message),
      name,
    );
  }
});

Deno.test("plain() leaves bare values, provenance() their sources", () => {
  const config = {
    rate: { value: 2, source: "paper Eq. 3" },
    list: [{ value: 7, source: "assumed" }],
  };
  assert.deepEqual(plain(config), { rate: 2, list: [7] });
  assert.deepEqual(provenance(config), [
    { path: "rate", value: 2, source: "paper Eq. 3" },
    { path: "list.0", value: 7, source: "assumed" },
  ]);
});

Deno.test("nearest() suggests a near miss and nothing far off", () => {
  const names = ["resnet18", "resnet34", "vgg13"];
  assert.equal(nearest("resnet81", names), "resnet18");
  assert.equal(nearest("vg13", names), "vgg13");
  assert.equal(nearest("alexander", names), undefined);
});

Deno.test("oneOf() returns a known name and refuses another with the known ones", () => {
  assert.equal(oneOf("backbone", "vgg13", ["vgg13", "vgg19"]), "vgg13");
  assert.throws(
    () => oneOf("backbone", "vgg16", ["vgg13", "vgg19"]),
    /Did you mean "vgg1[39]"\? Known: vgg13, vgg19/,
  );
});
