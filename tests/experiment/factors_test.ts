import assert from "node:assert/strict";
import { join } from "node:path";
import { loadConfig, parseConfig, provenance } from "../../lib/config/mod.ts";
import {
  cellsOf,
  combinationsOf,
  type Experiment,
  experimentSchema,
  factorLevels,
  type Levels,
} from "../../lib/experiment/mod.ts";
import { UserError } from "../../lib/files/mod.ts";

const folder = join(import.meta.dirname!, "..", "..", "experiments");
const base = JSON.parse(await Deno.readTextFile(join(folder, "base", "concept_quality.json")));

/** An experiment on one backbone with two methods and one seed, and other factors. */
function experiment(
  factors: Record<string, unknown>,
  rest: Record<string, unknown> = {},
): Experiment {
  const one = { backbone: ["resnet18"], method: ["original_cav", "lg_cav"], seed: [0] };
  return parseConfig("an experiment", experimentSchema, {
    spec: {
      ...base,
      id: "mine",
      title: "Mine",
      measures: ["concept_accuracy"],
      show: { as: "table", rows: "method", columns: "backbone" },
      factors: { ...base.factors, ...one, ...factors },
      ...rest,
    },
  });
}

Deno.test("every file of experiments/ follows its schema, is named by its id, and has cells", async () => {
  let count = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    count++;
    const read = await loadConfig(join(folder, name), experimentSchema);
    assert.equal(`${read.id}.json`, name);
    assert.ok(cellsOf(read).length > 0, name);
  }
  assert.ok(count >= 15, `${count} experiments`);
});

Deno.test("experiments/table2.json states the paper's protocol with its sections", async () => {
  const table2 = await loadConfig(join(folder, "table2.json"), experimentSchema);
  const stated = provenance(table2).filter(({ source }) => source.startsWith("paper"));
  assert.deepEqual(Object.fromEntries(stated.map(({ path, value }) => [path, value])), {
    "factors.seed": [0, 1, 2, 3],
    "settings.shots": 10,
    "settings.probes.count": 1000,
    "settings.probes.choice": "extreme",
  });
});

Deno.test("cellsOf() is the product of the factors, the core ones first, the last fastest", () => {
  const cells = cellsOf(experiment({ shots: [5, 2], "probes.count": [10, "pool"] }));
  assert.deepEqual(Object.keys(cells[0]!.levels).slice(-3), ["seed", "shots", "probes.count"]);
  assert.deepEqual(
    cells.map(({ levels, settings }) => [levels["method"], settings.shots, settings.probes.count]),
    ["original_cav", "lg_cav"].flatMap((method) => [
      [method, 5, 10],
      [method, 5, "pool"],
      [method, 2, 10],
      [method, 2, "pool"],
    ]),
  );
  assert.deepEqual(cells[0]!.settings.probes.choice, base.settings.probes.choice.value);
});

Deno.test("cellsOf() hands levels of method.* to the method and changes no setting", () => {
  const cells = cellsOf(experiment({ "method.coefficient": [0.1, 3] }));
  assert.deepEqual(cells.map(({ hyperparameters }) => hyperparameters["coefficient"]), [
    0.1,
    3,
    0.1,
    3,
  ]);
  assert.deepEqual(new Set(cells.map(({ settings }) => JSON.stringify(settings))).size, 1);
});

Deno.test("cellsOf() leaves out the cells that have an excluded level of every factor of a rule", () => {
  const exclude = [{ method: ["original_cav"], shots: [2, 5] }];
  const cells = cellsOf(experiment({ shots: [1, 2, 5] }, { exclude }));
  assert.deepEqual(cells.map(({ levels }) => `${levels["method"]} ${levels["shots"]}`), [
    "original_cav 1",
    "lg_cav 1",
    "lg_cav 2",
    "lg_cav 5",
  ]);
});

Deno.test("factorLevels() takes levels with and without a source", () => {
  const seed = { value: [3, 1], source: "assumed", why: "Two will do." };
  const levels = factorLevels(experiment({ seed }));
  assert.deepEqual(levels.get("seed"), [3, 1]);
  assert.deepEqual(levels.get("method"), ["original_cav", "lg_cav"]);
});

Deno.test("cellsOf() refuses a factor that is no setting, factorLevels() an experiment without a core one", () => {
  for (const name of ["shot", "probes.counts", "probes.count.value", "statistics.seed"]) {
    assert.throws(
      () => cellsOf(experiment({ [name]: [1, 2] })),
      (error: Error) =>
        error instanceof UserError &&
        error.message.includes(`experiments/mine.json has a factor "${name}"`),
      name,
    );
  }
  const { layer: _, ...factors } = experiment({}).factors;
  assert.throws(
    () => factorLevels({ id: "mine", factors }),
    (error: Error) => error instanceof UserError && /no factor "layer"/.test(error.message),
  );
});

Deno.test("experimentSchema refuses a level that is named twice and an unknown measure", () => {
  assert.throws(
    () => experiment({ seed: [0, 1, 0] }),
    /factors\.seed: .*twice|names a level twice/,
  );
  assert.throws(() => experiment({}, { measures: ["accuracy"] }), /measures/);
});

Deno.test("cellsOf() refuses levels that a setting may not have", () => {
  const wrong = { shots: [0], "probes.count": [1.5], "probes.choice": ["best"], heldOut: ["all"] };
  for (const [name, levels] of Object.entries(wrong)) {
    assert.throws(
      () => cellsOf(experiment({ [name]: levels })),
      (error: Error) => error instanceof UserError && error.message.includes(`${name}.value`),
      name,
    );
  }
});

Deno.test("combinationsOf() runs nothing that is quoted, and shows it when asked", () => {
  const quoting = experiment({}, { quoted: [{ method: ["lg_cav"] }] });
  const methods = (all: readonly Levels[]) => [...new Set(all.map(({ method }) => method))];
  assert.deepEqual(methods(combinationsOf(quoting)), ["original_cav"]);
  assert.deepEqual(methods(combinationsOf(quoting, { quoted: true })), ["original_cav", "lg_cav"]);
  assert.ok(cellsOf(quoting).every(({ levels }) => levels["method"] === "original_cav"));
});

Deno.test("cellsOf() refuses too many combinations, and none", () => {
  const seed = { value: Array.from({ length: 6000 }, (_, i) => i), source: "paper Table 1" };
  assert.throws(() => cellsOf(experiment({ seed })), /combines its factors in 12000 ways/);
  const exclude = [{ method: ["original_cav", "lg_cav"] }];
  assert.throws(() => cellsOf(experiment({}, { exclude })), /excludes every combination/);
});
