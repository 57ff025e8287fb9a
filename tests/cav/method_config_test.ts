import assert from "node:assert/strict";
import { loadConfig, methodSchema, parseConfig, plain } from "../../lib/config/mod.ts";

const folder = new URL("../../configs/methods/", import.meta.url).pathname;
const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const load = (file: string) => loadConfig(folder + file, methodSchema);

Deno.test("methodSchema accepts every file of configs/methods, each named by its id", async () => {
  assert.deepEqual(files, [
    "concept_gradient.json",
    "fast_cav.json",
    "lg_cav+ga+ce+dsr.json",
    "lg_cav+ga+ce.json",
    "lg_cav+ga.json",
    "lg_cav+splice.json",
    "lg_cav.json",
    "logistic_cav.json",
    "mean_difference.json",
    "oa_tcav+test_images.json",
    "oa_tcav.json",
    "original_cav.json",
    "random_cav.json",
    "random_words.json",
    "ridge_cav.json",
    "shuffled_activations.json",
    "svm_cav.json",
    "text_to_concept+test_images.json",
    "text_to_concept+vl_space.json",
    "text_to_concept.json",
  ]);
  for (const file of files) {
    const { id, parts, ...method } = await load(file);
    const { base, guidance = base } = { guidance: undefined, ...method };
    assert.equal(`${id}.json`, file);
    const made = guidance === base ? [base, ...parts].join("+") : guidance.replace(" ", "_");
    assert.ok(id === made || id.startsWith(`${made}+`), id);
  }
});

Deno.test("configs/methods give a reason for each value that the paper does not state", async () => {
  for (const file of files) {
    const { hyperparameters } = await load(file);
    for (const [name, { source, why }] of Object.entries(hyperparameters)) {
      assert.ok(source !== "assumed" || why, `${file} ${name}`);
    }
  }
});

Deno.test("configs/methods train all gradient methods for as long", async () => {
  const original = plain(await load("original_cav.json"));
  for (const file of files) {
    const { hyperparameters } = plain(await load(file));
    if (!("learningRate" in hyperparameters)) continue;
    assert.ok("learningRate" in original.hyperparameters);
    const { learningRate, epochs, batchSize, momentum } = hyperparameters;
    const expected = original.hyperparameters;
    assert.deepEqual(
      [learningRate, epochs, batchSize, momentum],
      [expected.learningRate, expected.epochs, expected.batchSize, expected.momentum],
    );
  }
});

Deno.test("methodSchema names the path of a wrong field", () => {
  const spec = JSON.parse(Deno.readTextFileSync(`${folder}original_cav.json`));
  spec.hyperparameters.momentum.value = 1;
  assert.throws(
    () => parseConfig("original_cav.json", methodSchema, { spec }),
    /hyperparameters\.momentum\.value/,
  );
});

Deno.test("configs/paper/prompts.json holds the 29 templates of Table 19", () => {
  const url = new URL("../../configs/paper/prompts.json", import.meta.url);
  const { prompt, ensemble } = JSON.parse(Deno.readTextFileSync(url));
  assert.equal(prompt, "a photo of the {}");
  assert.equal(ensemble.length, 29);
  assert.ok(ensemble.every((template: string) => template.split("{}").length === 2));
});
