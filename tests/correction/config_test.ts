import assert from "node:assert/strict";
import { correctionSchema, loadConfig, parseConfig, plain } from "../../lib/config/mod.ts";

const folder = new URL("../../configs/corrections/", import.meta.url).pathname;
const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const load = async (file: string) => plain(await loadConfig(folder + file, correctionSchema));

Deno.test("configs/corrections retrain with the paper's rate and epochs, all alike", async () => {
  const control = await load("uniform_retraining.json");
  assert.ok(control.base === "uniform_retraining");
  const { learningRate, epochs } = control.hyperparameters;
  assert.deepEqual([learningRate, epochs], [0.001, 20]);
  for (const file of files) {
    const { base, hyperparameters } = { hyperparameters: {}, ...await load(file) };
    if (!("momentum" in hyperparameters) || file === "refit.json") continue;
    assert.deepEqual({ ...hyperparameters, ...control.hyperparameters }, hyperparameters, base);
  }
});

Deno.test("configs/corrections mark Eq. 7's temperature of 1 as the paper's", async () => {
  const asr = await loadConfig(`${folder}lg_cav_asr.json`, correctionSchema);
  assert.ok(asr.base === "asr");
  const { value, source } = asr.hyperparameters.temperature;
  assert.deepEqual([value, source], [1, "paper Eq. 7"]);
});

Deno.test("correctionSchema names the path of a wrong field", () => {
  const spec = JSON.parse(Deno.readTextFileSync(`${folder}uniform_retraining.json`));
  spec.hyperparameters.momentum.value = 1;
  assert.throws(
    () => parseConfig("uniform_retraining.json", correctionSchema, { spec }),
    /hyperparameters\.momentum\.value/,
  );
});
