import assert from "node:assert/strict";
import { datasetSchema, loadConfig, plain } from "../../lib/config/mod.ts";

const open = (name: string) => loadConfig(`configs/datasets/${name}.json`, datasetSchema);

Deno.test("datasetSchema accepts the five datasets under their own names", async () => {
  for (const name of ["broden", "imagenet", "imagenet40", "cub200", "cifar100"]) {
    assert.equal((await open(name)).name, name);
  }
});

Deno.test("dataset configs agree with what the authors publish", async () => {
  const cub200 = await open("cub200");
  assert.equal(cub200.images["train"]! + cub200.images["test"]!, 11788);
  assert.deepEqual(plain((await open("broden")).singleConcept), {
    categories: "own",
    minimumMaskFraction: 0,
    minimumImages: 20,
  });
});

Deno.test("imagenet40.json lists the classes of Table 18 in the order of the logits", async () => {
  const { view, classes } = await open("imagenet40");
  const { tables } = JSON.parse(await Deno.readTextFile("configs/paper/tables.json"));
  const rows: { class: string; description: string }[] = tables.table18.rows;
  assert.equal(view?.classes.length, classes);
  assert.deepEqual(
    view?.classes.map(({ name, description }) => ({ class: name, description })),
    rows,
  );
  const wnids = view!.classes.map(({ wnid }) => wnid);
  assert.deepEqual(wnids, [...new Set(wnids)].sort());
  // Three of ImageNet's own list: position 0 of the view is class 5, 18 is 434, 39 is 972.
  assert.deepEqual([0, 18, 39].map((i) => wnids[i]), ["n01496331", "n02808304", "n09246464"]);
});

Deno.test("datasetSchema rejects a filter on a format that has no concepts", async () => {
  const { singleConcept } = await open("broden");
  const spec = { ...await open("cub200"), singleConcept };
  const { error } = datasetSchema.safeParse(spec);
  assert.deepEqual(error?.issues.map(({ path }) => path), [["singleConcept"]]);
});
