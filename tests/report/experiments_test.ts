import assert from "node:assert/strict";
import { loadConfig } from "../../lib/config/mod.ts";
import { combinationsOf, experimentSchema, type Run } from "../../lib/experiment/mod.ts";
import { measureOf } from "../../lib/metrics/mod.ts";
import {
  paperNumbers,
  refoldResult,
  resultFiles,
  resultSpec,
  tableRows,
  terminalTable,
} from "../../lib/report/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { options } from "./_synthetic.ts";

const ids = [...Deno.readDirSync("experiments")]
  .flatMap(({ name }) => name.endsWith(".json") ? [name.slice(0, -".json".length)] : [])
  .sort();
const file = JSON.parse(await Deno.readTextFile("configs/paper/tables.json"));

for (const id of ids) {
  Deno.test(`resultFiles() of ${id} joins the paper's numbers, refolds, and fits a terminal`, async () => {
    const experiment = await loadConfig(`experiments/${id}.json`, experimentSchema);
    const random = createRandom(id);
    const runs = experiment.measures.flatMap((measure): Run[] =>
      combinationsOf(experiment).flatMap((levels) =>
        (experiment.concepts ?? ["dog", "red"]).flatMap((concept) =>
          (measureOf(measure).over === "probes" ? ["1", "2", "3"] : [""]).map((image) => ({
            levels,
            measure,
            concept,
            class: "",
            image,
            value: 100 * random.uniform(),
            weight: 1,
            status: "measured",
          }))
        )
      )
    );
    const numbers = experiment.paper === undefined ? null : paperNumbers(file, experiment.paper);
    const spec = resultSpec(experiment, { ...options, paperNumbers: numbers });
    const quick = { ...spec, statistics: { ...spec.statistics, bootstrapResamples: 20 } };
    const { result, files } = resultFiles(runs, quick);
    const lines = terminalTable(result, { columns: 100 }).split("\n");
    assert.ok(lines.every((line) => line.length <= 100), lines.join("\n"));
    const tableJson = new TextDecoder().decode(files.get("table.json"));
    const again = refoldResult({ tableJson, runsArrow: files.get("runs.arrow")! });
    for (const [name, bytes] of files) assert.deepEqual(again.files.get(name), bytes, name);
    // Every number that the paper prints of it stands beside a cell.
    const found = tableRows(result).filter(({ paper }) => typeof paper === "number").length;
    assert.equal(found, numbers?.numbers.length ?? 0);
  });
}
