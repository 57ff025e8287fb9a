import assert from "node:assert/strict";
import { join } from "node:path";
import { readTableJson, terminalTable } from "../../lib/report/mod.ts";
import type { Status } from "../../lib/cli/status.ts";
import { edit, miniRoot, resultBytes, runCli } from "./_mini_root.ts";

const files = [
  "figure.svg",
  "gallery.html",
  "manifest.json",
  "runs.arrow",
  "runs.csv",
  "table.csv",
  "table.json",
  "table.md",
];

Deno.test("reproduce hangs galleries, from an empty store to a verified result", async (t) => {
  const root = await miniRoot();
  const experimentPath = (id: string) => join(root, "experiments", `${id}.json`);
  await edit(experimentPath("figure5"), ({ show }) => {
    show.concepts.value = 3;
    show.images.value = 2;
  });
  // A layer fitted to features of random weights gets right what one of random weights gets wrong.
  await edit(experimentPath("figure5b"), (json) => json.factors = { method: ["refit"] });
  const ids = ["figure5", "figure5b"];
  const resultOf = async (id: string) => {
    const text = await Deno.readTextFile(join(root, "results", "world", id, "table.json"));
    const result = readTableJson(text);
    assert.ok(result.schema === "lg-cav/result-gallery");
    return result;
  };
  const cold = await runCli(root, ["reproduce", ...ids]);
  assert.equal(cold.code, 0, cold.stderr);

  await t.step("writes every file, and what they hold to the screen", async () => {
    for (const id of ids) {
      const names = Object.keys(await resultBytes(root, id));
      // It is drawn where there is a browser.
      assert.deepEqual(names.filter((name) => name !== "figure.png").sort(), files);
      const said = [...cold.stderr.matchAll(new RegExp(`^Wrote results/world/${id}/(.*)$`, "gm"))];
      assert.deepEqual(said.map(([, name]) => name!).sort(), names.toSorted());
    }
    const shown = await Promise.all(ids.map(resultOf));
    assert.equal(
      cold.stdout,
      shown.map((result) => `${terminalTable(result, { columns: 100 })}\n`).join(""),
    );
  });

  await t.step("chooses concepts evenly and images by their activation", async () => {
    const { cell } = (await resultOf("figure5")).rows[0]!;
    assert.ok(cell.status === "measured" && cell.of === "activations");
    const { exhibit, concepts } = cell;
    assert.deepEqual([exhibit.images, exhibit.from, concepts.length], [80, 40, 3]);
    for (const { most, least } of concepts) {
      assert.deepEqual([most.length, least.length], [2, 2]);
      const values = [...most, ...least.toReversed()].map(({ value }) => value);
      assert.deepEqual(values, values.toSorted((a, b) => b - a));
      assert.ok(values.every((value) => Math.abs(value) <= 1));
    }
  });

  await t.step("shows images that were wrong and are right, one of a class", async () => {
    const { cell } = (await resultOf("figure5b")).rows[0]!;
    assert.ok(cell.status === "measured" && cell.of === "corrections");
    const { exhibit, corrected } = cell;
    assert.equal(exhibit.wrongBefore - exhibit.corrected + exhibit.broken, exhibit.wrongAfter);
    assert.ok(corrected.length > 0 && corrected.length <= 4);
    assert.equal(new Set(corrected.map((image) => image.class)).size, corrected.length);
    for (const { before, after, gain } of corrected) {
      assert.ok(before.own < before.mistaken && after.own > after.mistaken && gain > 0);
    }
    for (const { attention } of exhibit.pictures) {
      const maps = attention.flatMap(({ before, after }) => [before, after]);
      assert.ok(maps.every((map) => map.length === 4 && map[0]!.length === 4));
      assert.ok(maps.flat(2).every((value) => value >= 0 && Number.isFinite(value)));
    }
  });

  await t.step("runs no stage the second time and writes the same bytes", async () => {
    const before = await Promise.all(ids.map((id) => resultBytes(root, id)));
    const warm = await runCli(root, ["reproduce", ...ids]);
    assert.equal(warm.code, 0, warm.stderr);
    assert.doesNotMatch(warm.stderr, /\[\d+\/\d+\]/);
    assert.deepEqual(await Promise.all(ids.map((id) => resultBytes(root, id))), before);
  });

  await t.step("verify finds them sound, and names what was changed", async () => {
    assert.equal((await runCli(root, ["verify", ...ids])).code, 0);
    const path = join(root, "results", "world", "figure5", "gallery.html");
    const html = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, html.replace("Most activated", "Least activated"));
    const changed = await runCli(root, ["verify", "figure5"]);
    assert.equal(changed.code, 2);
    assert.match(changed.stderr, /gallery\.html was changed/);
  });

  await t.step("status and list know them", async () => {
    const { stdout } = await runCli(root, ["status", "--json"]);
    const rows: Status[] = JSON.parse(stdout);
    const { result, stages, paper } = rows.find(({ id }) => id === "figure5b")!;
    assert.deepEqual([result, stages, paper], ["fresh", 1, "Figure 5b"]);
    assert.match((await runCli(root, ["list"])).stdout, /^figure5 +Figure 5 +fresh +Images that/m);
  });

  const refused = async (
    id: string,
    // deno-lint-ignore no-explicit-any
    { change, sentence }: { readonly change: (json: any) => void; readonly sentence: RegExp },
  ) => {
    const path = experimentPath(id);
    const text = await Deno.readTextFile(path);
    await edit(path, change);
    const { code, stderr } = await runCli(root, ["reproduce", id, "--dry-run"]);
    await Deno.writeTextFile(path, text);
    assert.equal(code, 2, stderr);
    assert.match(stderr, sentence);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  };

  await t.step("a gallery that cannot be is refused in one sentence", async () => {
    await refused("figure5", {
      change: (json) => json.factors = { method: ["lg_cav_asr"] },
      sentence: /shows a gallery of activations, and .*lg_cav_asr.* makes no CAVs/,
    });
    await refused("figure5b", {
      change: (json) => json.factors = { method: ["original"] },
      sentence: /shows a gallery of corrections, and .*original.* corrects no last layer/,
    });
    await refused("figure5", {
      change: (json) => json.measures = ["recall_at_100"],
      sentence: /measures recall_at_100\. Measure image_activation\./,
    });
    await refused("figure5", {
      change: (json) => json.concepts = ["red"],
      sentence: /names "concepts" for a gallery/,
    });
    await refused("figure5", {
      change: (json) => json.factors = { dataset: ["broden"] },
      sentence: /a gallery of broden, whose images have no classes/,
    });
    await refused("table5", {
      change: (json) => json.measures = ["image_activation"],
      sentence: /measures image_activation/,
    });
  });
});
