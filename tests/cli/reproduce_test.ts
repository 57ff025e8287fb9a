import assert from "node:assert/strict";
import { join } from "node:path";
import { readRunsArrow, readTableJson, terminalTable } from "../../lib/report/mod.ts";
import type { Status } from "../../lib/cli/status.ts";
import { edit, miniRoot, resultBytes, runCli, startCli } from "./_mini_root.ts";

/** The name of an artifact, or of a part of one. */
const artifact = /^([0-9a-f]{64}|rows-\d+|thresholds-\d+|classes|complete)$/;

Deno.test("reproduce, from an empty store to a verified result", async (t) => {
  const root = await miniRoot();
  const resultOf = async (id: string) => {
    const path = join(root, "results", "world", id, "table.json");
    return readTableJson(await Deno.readTextFile(path));
  };
  const cold = await runCli(root, ["reproduce", "table2"]);
  assert.equal(cold.code, 0, cold.stderr);

  await t.step("writes every file of the result, and the table to the screen", async () => {
    const files = Object.keys(await resultBytes(root, "table2"));
    // Pictures are drawn where there is a browser.
    assert.deepEqual(files.filter((name) => !/^figure\.(svg|png)$/.test(name)).sort(), [
      "contrasts.csv",
      "contrasts.json",
      "figure.json",
      "manifest.json",
      "runs.arrow",
      "runs.csv",
      "table.csv",
      "table.json",
      "table.md",
    ]);
    const contrasts = join(root, "results", "world", "table2", "contrasts.json");
    const { contrasts: tested } = JSON.parse(await Deno.readTextFile(contrasts));
    const result = { ...await resultOf("table2"), tested };
    assert.equal(cold.stdout, `${terminalTable(result, { columns: 100 })}\n`);
    const said = [...cold.stderr.matchAll(/^Wrote results\/world\/table2\/(.*)$/gm)];
    assert.deepEqual(said.map(([, name]) => name!).sort(), files.toSorted());
  });

  await t.step("measures every method, seed, pair of concept and class", async () => {
    const folder = join(root, "results", "world", "table2");
    const runs = readRunsArrow(await Deno.readFile(join(folder, "runs.arrow")));
    const pairs = new Set(runs.map((run) => `${run.concept} ${run.class}`)).size;
    const pairsFile = await findFile(join(root, ".cache", "world"), "pairs.csv");
    const profile = await Deno.readTextFile(join(root, "configs", "profiles", "world.json"));
    const { choice } = JSON.parse(profile);
    const lines = (await Deno.readTextFile(pairsFile)).trim().split("\n").slice(1)
      .filter((line) => !choice.concepts.includes(line.split(",")[0])).length;
    assert.equal(pairs, lines);
    assert.equal(runs.length, 7 * 2 * lines);
    const table = await resultOf("table2");
    assert.ok(!JSON.stringify(table).includes(root), "no path of this machine");
    assert.equal(table.rows.length, 7);
    for (const row of table.rows) {
      assert.ok("cells" in row);
      assert.deepEqual(row.cells.map(({ status }) => status), ["measured"]);
    }
  });

  await t.step("traces every value and every stage in the manifest", async () => {
    const path = join(root, "results", "world", "table2", "manifest.json");
    const manifest = JSON.parse(await Deno.readTextFile(path));
    const rate = manifest.values.filter((value: { file: string; path: string }) =>
      value.file === "configs/methods/original_cav.json" && value.path.endsWith("learningRate")
    );
    assert.equal(rate.length, 1);
    assert.equal(rate[0].value, 1e-3);
    assert.match(rate[0].source, /^paper/);
    assert.ok(manifest.values.every((value: { source: string }) => value.source.length > 0));
    const stages: [string, { id: string; needs: string[] }][] = Object.entries(manifest.stages);
    assert.equal(new Set(stages.map(([, { id }]) => id)).size, stages.length);
    const [cavs] = stages.find(([, { id }]) => id === "cavs resnet18 original_cav seed 0")!;
    assert.match(cavs, /^[0-9a-f]{64}$/);
    for (const key of [...manifest.targets, ...stages.flatMap(([, { needs }]) => needs)]) {
      assert.ok(key in manifest.stages);
      assert.ok(manifest.timings.stages[key].seconds >= 0, "what it cost");
    }
    assert.equal(manifest.targets.length, 7 * 2);
    assert.equal(manifest.models.resnet18.weights.length, 64);
  });

  await t.step("runs no stage the second time and writes the same bytes", async () => {
    const path = join(root, "results", "world", "table2", "manifest.json");
    const costs = async () => JSON.parse(await Deno.readTextFile(path)).timings.stages;
    const before = await resultBytes(root, "table2");
    const computed = await costs();
    const warm = await runCli(root, ["reproduce", "table2"]);
    assert.equal(warm.code, 0, warm.stderr);
    assert.doesNotMatch(warm.stderr, /\[\d+\/\d+\]|measured/);
    assert.deepEqual(await resultBytes(root, "table2"), before);
    assert.deepEqual(await costs(), computed, "the manifest says what the stages cost then");
  });

  await t.step("computes one more seed's CAVs and measures and nothing else", async () => {
    const more = await runCli(root, ["reproduce", "table2", "--seeds", "0,1,2"]);
    assert.equal(more.code, 0, more.stderr);
    const ran = [...more.stderr.matchAll(/\[(\d+)\/(\d+)\] (.*) \(/g)];
    assert.ok(
      ran.every(([, , total]) => total === "15"),
      "shots, and seven times CAVs and measure",
    );
    assert.equal(ran.at(-1)![1], "15");
    for (const [, , , id] of ran) {
      assert.match(id!, /^(10 shots of|cavs|concept_to_class_accuracy of) .*seed 2/);
    }
    const fewer = await runCli(root, ["reproduce", "table2", "--methods", "original_cav"]);
    assert.doesNotMatch(fewer.stderr, /\[\d+\/\d+\]/);
    assert.equal((await runCli(root, ["reproduce", "table2"])).code, 0);
  });

  await t.step("shares all CAVs with the other tables of the same configs", async () => {
    const other = await runCli(root, ["reproduce", "table1", "table8"]);
    assert.equal(other.code, 0, other.stderr);
    const ran = [...other.stderr.matchAll(/\[\d+\/(\d+)\] (\w+)/g)];
    assert.deepEqual(new Set(ran.map(([, total]) => total)), new Set([`${(7 + 2) * 2}`]));
    assert.deepEqual(
      new Set(ran.map(([, , kind]) => kind)),
      new Set(["concept_accuracy", "tcav_score"]),
    );
  });

  await t.step("--dry-run says what is stored and computes nothing", async () => {
    const { stdout } = await runCli(root, ["reproduce", "table2", "--dry-run", "--json"]);
    const rows: { id: string; stored: boolean }[] = JSON.parse(stdout);
    assert.ok(rows.every(({ stored }) => stored));
    const fresh = await runCli(root, [
      "reproduce",
      "table2",
      "--dry-run",
      "--json",
      "--seeds",
      "5",
    ]);
    const ids = JSON.parse(fresh.stdout).filter((row: { stored: boolean }) => !row.stored)
      .map(({ id }: { id: string }) => id);
    assert.ok(ids.includes("cavs resnet18 original_cav seed 5"), ids.join());
    assert.ok(ids.every((id: string) => id.includes(" seed 5")), ids.join());
    const lines =
      (await runCli(root, ["reproduce", "table1", "table2", "--dry-run", "--seeds", "5"]))
        .stdout.trim().split("\n").slice(-4);
    assert.match(lines[0]!, / stages, \d+ to run\. Nothing was computed\.$/);
    for (const [i, name] of ["table1", "table2", "To run"].entries()) {
      assert.match(lines[i + 1]!, new RegExp(`^${name}: \\d+ stages, .* about \\d+ s, as .*\\.$`));
    }
  });

  await t.step("verify finds a sound result sound, and names what was changed", async () => {
    const sound = await runCli(root, ["verify", "table1", "table2", "table8"]);
    assert.equal(sound.code, 0, sound.stderr);
    assert.doesNotMatch(sound.stdout, /stale/);
    const path = join(root, "results", "world", "table2", "table.csv");
    const csv = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, csv.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)));
    const changed = await runCli(root, ["verify", "table2"]);
    assert.equal(changed.code, 2);
    assert.match(changed.stderr, /table\.csv was changed/);
    await Deno.writeTextFile(path, csv);
  });

  await t.step("status tells fresh, stored, stale and missing, list the titles", async () => {
    const of = async (command: string) => {
      const { stdout } = await runCli(root, [command, "--json"]);
      return new Map<string, Status>(JSON.parse(stdout).map((row: Status) => [row.id, row]));
    };
    const fresh = await of("status");
    assert.deepEqual(fresh.get("table2"), {
      id: "table2",
      title: "Concept-to-class accuracy (mean cosine x100) of CAV methods",
      paper: "Table 2",
      result: "fresh",
      stages: 14,
      stagesToRun: 0,
    });
    assert.equal(fresh.get("figure1")!.result, "missing");
    await Deno.remove(join(root, "results", "world", "table1"), { recursive: true });
    const removed = await of("status");
    assert.equal(removed.get("table1")!.result, "stored");
    assert.deepEqual(await of("list"), removed);
    const { stdout } = await runCli(root, ["list"]);
    assert.match(stdout, /^table2 +Table 2 +fresh +Concept-to-class accuracy/m);
    assert.match(stdout, /^figure1 +Figure 1 +(missing|unavailable) /m);
    await edit(
      join(root, "configs", "methods", "original_cav.json"),
      (method) => method.hyperparameters.epochs.value = 11,
    );
    const stale = await runCli(root, ["verify", "table2"]);
    assert.equal(stale.code, 0, stale.stderr);
    assert.match(stale.stdout, /the table follows from the runs; but it is stale/);
    const changed = await of("status");
    assert.deepEqual(
      ["table1", "table2", "table8"].map((id) => changed.get(id)!.result),
      ["missing", "stale", "stale"],
    );
  });

  await t.step(
    "a corrupt artifact is said, computed again, and the bytes are the same",
    async () => {
      const reproduced = await runCli(root, ["reproduce", "table2"]);
      assert.equal(reproduced.code, 0, reproduced.stderr);
      const before = await resultBytes(root, "table2");
      for (const kind of ["measure", "cavs", "features", "concepts", "last_layer"]) {
        for (const path of await findFiles(join(root, ".cache", kind), artifact)) {
          const bytes = await Deno.readFile(path);
          bytes[bytes.length >> 1]! ^= 4;
          await Deno.writeFile(path, bytes);
        }
      }
      const healed = await runCli(root, ["reproduce", "table2"]);
      assert.equal(healed.code, 0, healed.stderr);
      assert.match(healed.stderr, /was corrupt and is computed again/);
      assert.deepEqual(await resultBytes(root, "table2"), before);
    },
  );

  await t.step("two runs at once in one folder end with the same bytes", async () => {
    const before = await resultBytes(root, "table2");
    await Deno.remove(join(root, ".cache"), { recursive: true });
    const ends = await Promise.all(
      [0, 1].map(() => startCli(root, ["reproduce", "table2"]).output()),
    );
    assert.deepEqual(ends.map(({ code }) => code), [0, 0]);
    assert.deepEqual(await resultBytes(root, "table2"), before);
  });

  await t.step("clean removes the store and leaves the results", async () => {
    assert.equal((await runCli(root, ["clean"])).code, 0);
    await assert.rejects(Deno.lstat(join(root, ".cache")), Deno.errors.NotFound);
    assert.equal((await runCli(root, ["verify", "table2"])).code, 0);
  });
});

async function findFiles(folder: string, name: string | RegExp): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) found.push(...await findFiles(path, name));
    else if (typeof name === "string" ? entry.name === name : name.test(entry.name)) {
      found.push(path);
    }
  }
  return found;
}

async function findFile(folder: string, name: string | RegExp): Promise<string> {
  const [path] = await findFiles(folder, name);
  if (path === undefined) throw new Error(`${folder} has no file ${name}.`);
  return path;
}
