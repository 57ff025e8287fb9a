import assert from "node:assert/strict";
import { join } from "node:path";
import { openSentenceEncoder } from "../../lib/models/mod.ts";
import { cosine, row } from "../../lib/tensor/mod.ts";
import { edit, miniRoot, repository, runCli } from "./_mini_root.ts";

const folder = join(repository, "tests", "fixtures", "models", "tiny-sentence-encoder");
const threshold = 0.9;

Deno.test("reproduce pairs concepts and classes by the similarity of their names", async () => {
  const root = await miniRoot();
  await Deno.writeTextFile(
    join(root, "configs", "vl", "tiny_encoder.json"),
    JSON.stringify({ name: "tiny_encoder", folder }),
  );
  await edit(join(root, "configs", "profiles", "world.json"), (profile) => {
    profile.pairs = {
      sentenceEncoder: "tiny_encoder",
      threshold: { value: threshold, source: "assumed", why: "A tiny encoder finds all similar." },
    };
  });
  const { code, stderr } = await runCli(root, ["reproduce", "table2", "--methods", "original_cav"]);
  assert.equal(code, 0, stderr);
  const runs = await Deno.readTextFile(join(root, "results", "world", "table2", "runs.csv"));
  const found = runs.trim().split("\n").slice(1)
    .map((line) => line.split(",").slice(7, 9).join(" "));

  const encoder = await openSentenceEncoder({ name: "tiny_encoder", folder }, {
    device: "cpu",
    hubFolder: "",
    threads: 1,
  });
  const [concepts, classes] = [await conceptNames(root), await classNames(root)];
  const [ofConcepts, ofClasses] = [
    await encoder.embed(concepts.map((name) => name.replace(/-[cs]$/, ""))),
    await encoder.embed(classes.map(({ name }) => name)),
  ];
  await encoder.close();
  const path = join(root, "configs", "profiles", "world.json");
  const { choice } = JSON.parse(await Deno.readTextFile(path));
  const expected = concepts.flatMap((concept, i) =>
    choice.concepts.includes(concept)
      ? []
      : classes.flatMap(({ id }, k) =>
        cosine(row(ofConcepts, i), row(ofClasses, k)) > threshold ? [`${concept} ${id}`] : []
      )
  );
  assert.ok(expected.length > 0 && expected.length < concepts.length * classes.length);
  assert.deepEqual([...new Set(found)].sort(), expected.sort());
});

/** The names in the label.csv of the world that the run rendered. */
async function conceptNames(root: string): Promise<string[]> {
  const labels = await Deno.readTextFile(await worldFile(root, "broden/label.csv"));
  return labels.trim().split("\n").slice(1).map((line) => line.split(",")[1]!);
}

/** The first of the names of each class. */
async function classNames(root: string): Promise<{ id: string; name: string }[]> {
  const synsets = await Deno.readTextFile(await worldFile(root, "imagenet/LOC_synset_mapping.txt"));
  return synsets.trim().split("\n").map((line) => ({
    id: line.slice(0, 9),
    name: line.slice(10).split(",")[0]!,
  }));
}

async function worldFile(root: string, path: string): Promise<string> {
  const world = join(root, ".cache", "world");
  for await (const { name: digits } of Deno.readDir(world)) {
    for await (const { name } of Deno.readDir(join(world, digits))) {
      const file = join(world, digits, name, path);
      if (await Deno.stat(file).then(() => true, () => false)) return file;
    }
  }
  throw new Error(`The store has no ${path}.`);
}
