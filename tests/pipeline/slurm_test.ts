import assert from "node:assert/strict";
import { reportOptions, sbatchOptions, statesIn } from "../../lib/pipeline/mod.ts";

const options = {
  plan: "/shared/it's/plan.json",
  root: "/shared",
  logs: "/shared/logs",
  command: "deno task",
  sbatch: ["--partition=long"],
};
const after = { id: "17", array: 0, tasks: 3 };

Deno.test("sbatchOptions() asks for what a task takes, after the array before", () => {
  const array = { tasks: [[], [], []], seconds: 3600, memory: 2e9 };
  const args = sbatchOptions(array, { ...options, index: 1, after });
  // 2 GB and 1.5 GB of runtime; five times an hour.
  for (
    const expected of ["--array=0-2", "--mem=3500M", "--time=300", "--dependency=afterany:17"]
  ) {
    assert.ok(args.includes(expected), expected);
  }
  assert.ok(
    args.indexOf("--partition=long") > args.indexOf("--time=300"),
    "the user's word is last",
  );
  assert.equal(
    args.at(-1),
    `--wrap=deno task stage --plan '/shared/it'\\''s/plan.json' --array 1 --task $SLURM_ARRAY_TASK_ID`,
  );
  const first = sbatchOptions(array, { ...options, index: 0, after: undefined });
  assert.ok(first.every((arg) => !arg.startsWith("--dependency")));
  assert.ok(
    sbatchOptions({ ...array, seconds: 1 }, { ...options, index: 0, after })
      .includes("--time=15"),
  );
});

Deno.test("reportOptions() runs the report after the last array", () => {
  const args = reportOptions({ ...options, after });
  assert.ok(args.includes("--dependency=afterany:17"));
  assert.match(args.at(-1)!, /--report$/);
});

Deno.test("statesIn() counts the tasks of each job by state", () => {
  // squeue --noheader --array --format="%A %F %T" of an array and a single job.
  const lines = "19 18 RUNNING\n18 18 PENDING\n20 18 PENDING\n21 21 COMPLETING\n\n";
  assert.deepEqual(statesIn(lines), [
    { id: "18", states: { RUNNING: 1, PENDING: 2 } },
    { id: "21", states: { COMPLETING: 1 } },
  ]);
  assert.deepEqual(statesIn(""), []);
});
