import assert from "node:assert/strict";
import { join } from "node:path";
import { edit, miniRoot, runCli } from "./_mini_root.ts";

/** A folder in which a table was made of two methods. */
async function reproducedRoot(): Promise<string> {
  const root = await miniRoot();
  await edit(join(root, "experiments", "base", "concept_quality.json"), ({ factors }) => {
    factors.method = ["original_cav", "lg_cav"];
  });
  const { code, stderr } = await runCli(root, ["reproduce", "table2"]);
  assert.equal(code, 0, stderr);
  return root;
}

const manifest = join("results", "world", "table2", "manifest.json");

Deno.test("what `store export` writes lets another store give the same bytes without computing", async () => {
  const root = await reproducedRoot();
  await Deno.copyFile(join(root, manifest), join(root, "theirs.json"));
  const out = join(root, "table2.tar");
  const exported = await runCli(root, ["store", "export", "table2", "--out", out]);
  assert.equal(exported.code, 0, exported.stderr);
  const env = { LG_CAV_STORE: join(root, "another store") };
  const imported = await runCli(root, ["store", "import", out], { env });
  assert.match(imported.stdout, /^Took \d+ files \(\d+ MB\)\.\n$/, imported.stderr);
  const again = await runCli(root, ["reproduce", "table2", "--frozen", "theirs.json"], { env });
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /^0 of \d+ stages were computed here/m);
  assert.match(again.stderr, /All \d+ files are those of the manifest, byte for byte\.$/m);
  const sizes = await Promise.all(
    [".cache", "another store"].map(async (store) => {
      const { stdout } = await runCli(root, ["store", "list", "--json"], {
        env: { LG_CAV_STORE: join(root, store) },
      });
      const rows: { stage: string; values: number; bytes: number }[] = JSON.parse(stdout);
      return new Map(rows.map(({ stage, ...row }) => [stage, row]));
    }),
  );
  assert.equal(sizes[1]!.get("measure")!.bytes, sizes[0]!.get("measure")!.bytes);
  assert.ok(sizes[1]!.get("features")!.bytes < sizes[0]!.get("features")!.bytes / 10, "records");

  await Deno.writeTextFile(join(root, "bad.tar"), "no archive at all".repeat(100));
  const bad = await runCli(root, ["store", "import", "bad.tar"], { env });
  assert.deepEqual([bad.code, bad.stderr.split("\n").length], [2, 2], bad.stderr);
});

Deno.test("`reproduce --frozen` says which bytes differ, and refuses another plan by its cause", async () => {
  const root = await reproducedRoot();
  const recorded = JSON.parse(await Deno.readTextFile(join(root, manifest)));
  recorded.files["runs.csv"] = "0".repeat(64);
  await Deno.writeTextFile(join(root, "theirs.json"), JSON.stringify(recorded));
  const differs = await runCli(root, ["reproduce", "table2", "--frozen", "theirs.json"]);
  assert.equal(differs.code, 1);
  assert.match(differs.stderr, /Other bytes than in the manifest: runs\.csv\.$/m);

  const wrong = await runCli(root, ["reproduce", "table1", "--frozen", "theirs.json"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /theirs\.json is of table2 in the profile world\. Run "/);
  await edit(join(root, "configs", "methods", "original_cav.json"), ({ hyperparameters }) => {
    hyperparameters.epochs.value = 11;
  });
  const other = await runCli(root, ["reproduce", "table2", "--frozen", "theirs.json"]);
  assert.equal(other.code, 2);
  assert.match(other.stderr, /other configs: .*configs\/methods\/original_cav\.json/);
});

Deno.test("`store gc --unreachable` keeps what results are made of, `store verify` finds a flipped bit", async () => {
  const root = await reproducedRoot();
  const more = await runCli(root, ["reproduce", "table2", "--seeds", "7"]);
  assert.equal(more.code, 0, more.stderr);
  // Seeds 0 and 1 are in no result now.
  const dry = await runCli(root, ["store", "gc", "--unreachable", "--dry-run"]);
  assert.match(dry.stdout, /^Would remove [1-9]\d* of \d+ stages/);
  const collected = await runCli(root, ["store", "gc", "--unreachable"]);
  assert.equal(collected.stdout.replace("Removed", "Would remove"), dry.stdout);
  const warm = await runCli(root, ["reproduce", "table2", "--seeds", "7", "--frozen", manifest]);
  assert.match(warm.stderr, /^0 of \d+ stages were computed here/m);

  const young = await runCli(root, ["store", "gc", "--older-than", "1d"]);
  assert.match(young.stdout, /^Removed 0 of/);
  const unasked = await runCli(root, ["store", "gc"]);
  assert.deepEqual([unasked.code, unasked.stderr.split("\n").length], [2, 2], unasked.stderr);

  const sound = await runCli(root, ["store", "verify"]);
  assert.match(sound.stdout, /all are as they were written\.$/m);
  const { stages } = JSON.parse(await Deno.readTextFile(join(root, manifest)));
  const [key] = Object.entries<{ id: string }>(stages).find(([, { id }]) => id.startsWith("cavs"))!;
  const folder = join(root, ".cache", "cavs", key.slice(0, 2), key);
  const [part] = [...Deno.readDirSync(folder)];
  const bytes = await Deno.readFile(join(folder, part!.name));
  bytes[bytes.length >> 1]! ^= 8;
  await Deno.writeFile(join(folder, part!.name), bytes);
  const damaged = await runCli(root, ["store", "verify"]);
  assert.equal(damaged.code, 1);
  assert.match(damaged.stdout, new RegExp(`^Removed cavs/.*${key}.*: its bytes changed\\.$`, "m"));
  const all = await runCli(root, ["store", "gc", "--max-size", "0MB"]);
  assert.match(all.stdout, /^Removed (\d+) of \1 stages/);
});

Deno.test("two processes that make one table at once give the same bytes, and differ in no stage", async () => {
  const root = await miniRoot();
  const other = await miniRoot();
  const env = { LG_CAV_STORE: join(root, "shared") };
  const outcomes = await Promise.all(
    [root, other].map((folder) => runCli(folder, ["reproduce", "table2"], { env })),
  );
  for (const { code, stderr } of outcomes) {
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /differs from what is stored/);
  }
  const [first, second] = await Promise.all(
    [root, other].map(async (folder) =>
      JSON.parse(await Deno.readTextFile(join(folder, manifest)))
    ),
  );
  assert.deepEqual(first.files, second.files);
});
