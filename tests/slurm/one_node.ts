import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../_temporary.ts";
import { edit, miniRoot, type Outcome, repository, runCli } from "../cli/_mini_root.ts";
import { type Cluster, startCluster, until } from "./_cluster.ts";

const manifest = join("results", "world", "table2", "manifest.json");
const main = join(repository, "lib", "cli", "main.ts");
const submit = [
  ...["reproduce", "table2", "--executor", "slurm", "--minutes-per-task", "0.02"],
  ...["--job-command", `${Deno.execPath()} run --quiet --no-check -A ${main}`],
];

/** A folder in which a table of two methods takes seconds. */
async function smallRoot(): Promise<string> {
  const root = await miniRoot();
  await edit(join(root, "experiments", "base", "concept_quality.json"), ({ factors }) => {
    factors.method = ["original_cav", "lg_cav"];
  });
  return root;
}

/** What the jobs of a folder printed, and what the last one did. */
async function logsOf(root: string): Promise<string> {
  const folder = join(root, ".cache", "plans", "logs");
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(join(folder, name))));
  return texts.join("\n");
}

async function filesOf(root: string): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(join(root, manifest))).files;
}

async function withCluster(test: (cluster: Cluster, run: Run) => Promise<void>): Promise<void> {
  await using cluster = await startCluster(await temporaryFolder());
  await test(cluster, (root, args) => runCli(root, args, { env: cluster.env }));
}

type Run = (root: string, args: readonly string[]) => Promise<Outcome>;

Deno.test("jobs of Slurm compute the same bytes as this process", () =>
  withCluster(async ({ idle }, run) => {
    const [root, local] = [await smallRoot(), await smallRoot()];
    const submitted = await run(root, submit);
    assert.equal(submitted.code, 0, submitted.stderr);
    assert.match(submitted.stdout, /^Job \d+: [1-9]\d* tasks/);
    assert.match(
      (await run(root, ["status"])).stdout,
      /^job \d+ of plan [0-9a-f]{16}, the report: /m,
    );
    assert.equal((await run(local, ["reproduce", "table2"])).code, 0);
    await idle();
    assert.deepEqual(await filesOf(root), await filesOf(local), await logsOf(root));
    assert.equal((await run(root, ["jobs"])).stdout, "No job is waiting or running.\n");
  }));

Deno.test("a task that is killed is missed by the report, and another submission goes on", () =>
  withCluster(async ({ slurm, idle }, run) => {
    const root = await smallRoot();
    const { stdout } = await run(root, submit);
    const [, first] = /^Job (\d+)/.exec(stdout)!;
    const running = async () =>
      (await slurm("squeue", "--noheader", `--jobs=${first}`, "--states=RUNNING")).trim() !== "";
    await until(running);
    await slurm("scancel", "--signal=KILL", "--full", first!);
    await idle();
    const logs = await logsOf(root);
    assert.match(logs, /needs ".*", which was not computed\./);
    assert.match(logs, /\d+ stages are missing: /);
    const again = await run(root, submit);
    assert.equal(again.code, 0, again.stderr);
    await idle();
    assert.equal(Object.keys(await filesOf(root) as object).length > 0, true, await logsOf(root));
  }));

Deno.test("of two submissions at once one is refused, and jobs can be cancelled", () =>
  withCluster(async ({ slurm, idle }, run) => {
    const root = await smallRoot();
    const both = await Promise.all([run(root, submit), run(root, submit)]);
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 2], both[0]!.stderr);
    const refused = both.find(({ code }) => code === 2)!;
    assert.match(refused.stderr, /^This plan is submitted: jobs .* have not ended\./m);
    const { stdout } = await run(root, ["jobs", "cancel"]);
    assert.match(stdout, /^Cancelled [1-9]\d* jobs\.\n$/);
    await idle();
    assert.equal((await slurm("squeue", "--noheader")).trim(), "");
  }));

Deno.test("a machine whose files give other keys refuses its tasks, and says so in their logs", () =>
  withCluster(async ({ idle }, run) => {
    const root = await smallRoot();
    assert.equal((await run(root, submit)).code, 0);
    // Another machine's inputs: the tasks that depend on the weights find other keys.
    const weights = join(root, "zoo", "resnet18.safetensors");
    const bytes = await Deno.readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await Deno.writeFile(weights, bytes);
    await idle();
    const logs = await logsOf(root);
    assert.match(logs, /stages of this task are none that this machine would compute|SHA-256/);
  }));
