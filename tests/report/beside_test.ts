import assert from "node:assert/strict";
import type { Run } from "../../lib/experiment/mod.ts";
import {
  besideSpec,
  foldResult,
  refoldResult,
  resultFiles,
  terminalTable,
} from "../../lib/report/mod.ts";
import { experiment, options, run, spec, syntheticRuns } from "./_synthetic.ts";

const { factors, paper: _, ...rest } = experiment();
const beside = besideSpec(
  { ...rest, id: "controls", title: "Controls", factors: { ...factors, method: ["one", "two"] } },
  options,
);
const ofControls = ["one", "two"].flatMap((method) =>
  ["resnet18", "vgg13"].flatMap((backbone) =>
    [0, 1].flatMap((seed) =>
      ["dog", "cat"].map((concept): Run =>
        run({
          levels: { method, backbone, seed },
          concept,
          value: method === "one" ? 10 + seed : 90,
        })
      )
    )
  )
);
const own = syntheticRuns();
const { result, files } = resultFiles([...own, ...ofControls], { ...spec, beside: [beside] });
const text = (name: string) => new TextDecoder().decode(files.get(name));

Deno.test("resultFiles() leaves a table as it is by what stands below it", () => {
  assert.ok(result.schema === "lg-cav/result-table");
  const { beside: below, ...table } = result;
  assert.deepEqual(table, foldResult(own, spec));
  assert.deepEqual(below!.map(({ id }) => id), ["controls"]);
  const [first, second] = below![0]!.rows.map(({ cells }) => cells);
  for (const cell of first!) assert.ok(cell.status === "measured" && cell.mean === 10.5);
  for (const cell of second!) assert.ok(cell.status === "measured" && cell.mean === 90);
});

Deno.test("resultFiles() shows what stands below in table.md, on the screen and in a file, none of it as best", () => {
  const [, below] = text("table.md").split("## Controls\n");
  assert.match(below!, /\| one \| 10\.50 ± 0\.71 \| 10\.50 ± 0\.71 \|/);
  assert.match(below!, /\| two \| 90\.00 ± 0\.00 \|/);
  assert.ok(!below!.includes("**"));
  const [, screen] = terminalTable(result, { columns: 80 }).split("\nControls\n");
  assert.match(screen!, /two +90\.00 +90\.00/);
  assert.ok(!screen!.includes("*"));
  const lines = text("controls.csv").trim().split("\n");
  assert.equal(lines.length, 1 + 2 * 2);
  assert.match(lines[1]!, /^one,resnet18,measured,10\.5,/);
});

Deno.test("refoldResult() folds what stands below again", () => {
  const again = refoldResult({
    tableJson: text("table.json"),
    runsArrow: files.get("runs.arrow")!,
  });
  assert.deepEqual([...again.files.keys()], [...files.keys()]);
  for (const [name, bytes] of files) assert.deepEqual(again.files.get(name), bytes, name);
});
