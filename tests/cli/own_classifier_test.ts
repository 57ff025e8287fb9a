import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256 } from "../../lib/files/mod.ts";
import { worldClasses } from "../../lib/world/mod.ts";
import { miniRoot, runCli } from "./_mini_root.ts";
import { addClassifier } from "./_own_classifier.ts";

const classes = worldClasses();
const names = classes.map(({ name }) => name);
/** Another order of the forty classes: every class moves. */
const order = classes.map((_, place) => (place * 7 + 3) % classes.length);

Deno.test("reproduce takes a user's own ONNX classifiers as backbones", async (t) => {
  const root = await miniRoot();
  await addClassifier(root, "mine", { classNames: names });
  await addClassifier(root, "permuted", { classNames: order.map((i) => names[i]!), order });
  await addClassifier(root, "wnids", { classNames: order.map((i) => classes[i]!.id), order });
  const strangers = names.map((name, i) => i === 5 ? "a stranger" : name);
  await addClassifier(root, "stranger", { classNames: strangers });
  const others = Array.from({ length: 10 }, (_, i) => `other ${i}`);
  await addClassifier(root, "others", { classNames: others });
  const reproduce = (...args: string[]) => runCli(root, ["reproduce", ...args]);
  const tableOf = async (id: string) => {
    const path = join(root, "results", "world", id, "table.json");
    return JSON.parse(await Deno.readTextFile(path));
  };

  await t.step("a model of other classes is refused before any work", async () => {
    const { code, stderr } = await reproduce("table2", "--backbones", "others");
    assert.equal(code, 2, stderr);
    assert.match(stderr, /None of the 10 logits of "last layer others" .* such as "other 0"/);
    assert.doesNotMatch(stderr, /\] (features|cavs)/);
  });

  await t.step("the order of the logits does not matter, their names do", async () => {
    const backbones = ["mine", "permuted", "wnids", "stranger"];
    const { code, stderr } = await reproduce("table2", "--backbones", backbones.join(","));
    assert.equal(code, 0, stderr);
    const { columns, rows } = await tableOf("table2");
    assert.deepEqual(columns.map(({ title }: { title: string }) => title), backbones);
    for (const { cells } of rows) {
      const [mine, ...same] = cells.map(({ mean }: { mean: number }) => mean);
      assert.ok(Number.isFinite(mine));
      assert.deepEqual(same.slice(0, 2), [mine, mine]);
    }
    assert.match(stderr, /last layer stranger: 1 of 40 class names are no class .*: a stranger\./);
    assert.match(stderr, new RegExp(`does not know 1 of 40 classes, .*: ${names[5]}`));
    assert.doesNotMatch(stderr, /last layer (mine|permuted|wnids):/);
    const path = join(root, "results", "world", "table2", "manifest.json");
    const { models, remarks } = JSON.parse(await Deno.readTextFile(path));
    assert.deepEqual(models.mine.hashes, [
      sha256(await Deno.readFile(join(root, "data", "mine.onnx"))),
    ]);
    assert.equal(remarks.filter((one: string) => one.includes("stranger")).length, 2);
  });

  await t.step("what needs no class is measured with a model of other classes", async () => {
    const { code, stderr } = await reproduce("table1", "--backbones", "others");
    assert.equal(code, 0, stderr);
    const runs = await Deno.readTextFile(join(root, "results", "world", "table1", "runs.csv"));
    assert.equal(runs.trim().split("\n").length - 1, 7 * 2 * 25, "methods, seeds, concepts");
  });
});
