import assert from "node:assert/strict";
import {
  describeTable,
  displayRuns,
  displayTable,
  figurePage,
  foldTable,
  renderFigure,
} from "../../lib/report/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { run, spec, statistics, syntheticRuns } from "./_synthetic.ts";

Deno.test("describeTable() counts wins, signs, intervals and p-values, by hand", () => {
  const at = (backbone: string, method: string, values: readonly number[]) =>
    values.map((value, i) => run({ backbone, method, concept: `concept ${i}`, value }));
  const table = foldTable(
    [
      ...at("resnet18", "original_cav", [1, 1, 1, 1, 1, 1, 1, 1]),
      ...at("resnet18", "lg_cav", [2, 3, 3, 2, 3, 3, 2, 2]),
      ...at("vgg13", "original_cav", [5, 5, 5, 5, 5, 5, 5, 5]),
      ...at("vgg13", "lg_cav", [4, 4, 4, 4, 4, 4, 4, 4]),
    ],
    spec,
    { ...statistics, permutations: 256 },
  );
  // Eight differences of one sign: 2 of 256 sign patterns are as extreme.
  assert.equal(
    describeTable(table),
    "- The highest mean of 2 measured backbones: **LG-CAV** on 1, **Original CAV** on 1.\n" +
      "- **LG-CAV** against Original CAV: higher on 1 of 2 backbones (-1.00 to +1.50); " +
      "the interval lies above 0 on 1 and below 0 on 1; p < 0.05 on 2.\n",
  );
});

Deno.test("describeTable() of nothing measured says so", () => {
  assert.match(describeTable(foldTable([], spec, statistics)), /No cell/);
});

Deno.test("displayTable() shows means, deviations and what was not run", () => {
  const runs = [run({ value: 1, seed: 0 }), run({ value: 2, seed: 1 })];
  const bundle = displayTable(foldTable(runs, spec, statistics));
  assert.match(String(bundle["text/plain"]), /Original CAV\|1\.50 ± 0\.71\|not run/);
  assert.match(String(bundle["text/html"]), /<td[^>]*>1\.50 ± 0\.71<\/td>/);
});

Deno.test("displayRuns() shows as many runs as asked for", () => {
  const text = String(displayRuns(syntheticRuns(), 3)["text/plain"]);
  assert.equal(text.trim().split("\n").length, 2 + 3);
});

Deno.test("figurePage() cannot be ended early by the text of a figure", () => {
  const figure = { data: [{ name: "</script><b>" }], layout: {} };
  const page = figurePage(figure, { plotly: "const a = '</script>'", width: 1, height: 1 });
  assert.equal(page.match(/<\/script>/g)!.length, 2);
  assert.ok(!page.includes("<b>"));
});

Deno.test("renderFigure() without a chromium says what is missing", async () => {
  const options = { commands: ["no-such-chromium"] };
  await assert.rejects(
    renderFigure({ data: [], layout: {} }, options),
    (error) => error instanceof UserError && /no-such-chromium/.test(error.message),
  );
});
