import assert from "node:assert/strict";
import { join } from "node:path";
import { saysTheSame } from "../../lib/cli/claims.ts";
import { miniRoot, runCli } from "./_mini_root.ts";

Deno.test("claims judges what was run, writes the findings, and notices what does not fit", async () => {
  const root = await miniRoot();
  try {
    const none = await runCli(root, ["claims"]);
    assert.equal(none.code, 0, none.stderr);
    assert.match(none.stdout, /^not run {3}Plain LG-CAV is below the original CAV$/m);
    const methods = ["--methods", "original_cav,lg_cav", "--seeds", "0"];
    const reproduced = await runCli(root, ["reproduce", "table1", ...methods]);
    assert.equal(reproduced.code, 0, reproduced.stderr);
    for (const name of ["introduction", "reasons"]) {
      await Deno.mkdir(join(root, "docs", "findings"), { recursive: true });
      const text = `${name} {{plain_below_original 1}}\n`;
      await Deno.writeTextFile(join(root, "docs", "findings", `${name}.md`), text);
    }
    const judged = await runCli(root, ["claims", "--findings"]);
    assert.equal(judged.code, 0, judged.stderr);
    assert.match(judged.stdout, /table1, concept_accuracy: lg_cav − original_cav: \w+ [+-]?\d/);
    assert.match(judged.stdout, /table2, .*lg_cav − original_cav: not run/);
    // All methods and seeds are what today's plan would make.
    assert.match(judged.stderr, /^Stale, .*: table1\. Reproduce/);
    const ledger = JSON.parse(
      await Deno.readTextFile(join(root, "results", "world", "claims", "claims.json")),
    );
    assert.deepEqual(ledger.read.map(({ experiment }: { experiment: string }) => experiment), [
      "table1",
    ]);
    assert.equal((await runCli(root, ["claims", "--check"])).code, 0);
    const page = join(root, "docs", "findings.md");
    await Deno.writeTextFile(page, (await Deno.readTextFile(page)).replace("introduction", "No"));
    const differs = await runCli(root, ["claims", "--check"]);
    assert.equal(differs.code, 2);
    assert.match(differs.stderr, /docs\/findings\.md is not what the results/);
    await Deno.writeTextFile(join(root, "results", "world", "table1", "contrasts.json"), "{}");
    const changed = await runCli(root, ["claims"]);
    assert.equal(changed.code, 2);
    assert.match(changed.stderr, /contrasts\.json is not what its manifest records/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("saysTheSame() allows numbers what rounding does to them, and words nothing", () => {
  assert.ok(saysTheSame("above +2.18 [1.51, 2.90]", "above +2.19 [1.51, 2.88]"));
  assert.ok(!saysTheSame("above +2.18", "above +2.30"));
  assert.ok(!saysTheSame("above +2.18", "below +2.18"));
  assert.ok(!saysTheSame("at 3 of 4 levels", "at 2 of 4 levels"));
  assert.ok(!saysTheSame("+0.30", "-0.30"));
});
