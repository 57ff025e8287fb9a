/**
 * Every recipe of README.md and docs/ runs: each block of shell commands is run by bash in a small
 * copy of the repository. A block that cannot (it downloads, takes minutes or a model of one's own)
 * has `<!-- not run: REASON -->` on the line before it; its commands must at least be there, with the
 * flags that it names.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { edit, miniRoot, repository, writeRandomWeights } from "./cli/_mini_root.ts";

interface Recipe {
  /** File and line. */
  readonly at: string;
  readonly commands: string;
  /** Why it is not run. */
  readonly notRun: string | undefined;
}

const fence =
  /(?:<!--\s*not run:\s*([^>]*?)\s*-->\n+)?^```(?:sh|bash|shell|console)\n([^]*?)^```$/gm;

function recipesOf(page: string, text: string): Recipe[] {
  return [...text.matchAll(fence)].map(({ 1: notRun, 2: commands, index }) => ({
    at: `${page}:${text.slice(0, index).split("\n").length}`,
    commands: commands!,
    notRun,
  }));
}

const pages = ["README.md"];
for await (const { name } of Deno.readDir(join(repository, "docs"))) {
  if (name.endsWith(".md")) pages.push(`docs/${name}`);
}
const recipes: Recipe[] = [];
for (const page of pages.sort()) {
  recipes.push(...recipesOf(page, await Deno.readTextFile(join(repository, page))));
}
const { tasks } = JSON.parse(await Deno.readTextFile(join(repository, "deno.json"))) as {
  readonly tasks: Readonly<Record<string, { readonly command: string }>>;
};

/** A task of deno.json as a command of another folder; none where it runs no script. */
function commandOf(task: string): string | undefined {
  const [, script, words = ""] = /^deno run .*?(lib\/\S+\.ts)(.*)$/.exec(tasks[task]!.command) ??
    [];
  if (script === undefined) return undefined;
  return `"${Deno.execPath()}" run --no-check -A "${join(repository, script)}"${words}`;
}

/** Puts `deno task` and `npx ... deno@VERSION task` in a folder; the gate, of which this is a part, passes. */
async function writeShims(folder: string): Promise<void> {
  const cases = Object.keys(tasks).map((task) =>
    `${task}) ${task === "test" ? "exit 0" : `exec ${commandOf(task) ?? "false"} "\${@:3}"`} ;;`
  );
  const files = {
    deno: [`[ "$1" = task ] || exit 1`, `case "$2" in`, ...cases, "*) exit 1 ;;", "esac"],
    npx: ['while [ "$1" != task ]; do shift; done', `exec deno "$@"`],
  };
  await Deno.mkdir(folder);
  for (const [name, lines] of Object.entries(files)) {
    const text = ["#!/usr/bin/env bash", ...lines, ""].join("\n");
    await Deno.writeTextFile(join(folder, name), text, { mode: 0o755 });
  }
}

async function bash(root: string, commands: string) {
  const output = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", commands],
    cwd: root,
    env: { PATH: `${join(root, "bin")}:${Deno.env.get("PATH")}` },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: decode(output.stdout), stderr: decode(output.stderr) };
}

/** The commands of the repository in a recipe, each without its comment. */
function tasksIn(commands: string): string[] {
  return [...commands.replaceAll("\\\n", " ").matchAll(/\bdeno(?:@\S+)? (task [^\n#|;&]+)/g)]
    .map(([, words]) => words!.trim());
}

Deno.test("every recipe of README and docs runs, or says why not and names what there is", async (t) => {
  const root = await miniRoot();
  await writeShims(join(root, "bin"));
  await Deno.mkdir(join(root, "tmp"));
  await edit(join(root, "experiments", "base", "concept_quality.json"), ({ factors }) => {
    factors.method = ["original_cav", "lg_cav"];
    factors.seed.value = [0];
  });
  const named = recipes.flatMap(({ commands }) =>
    [...commands.matchAll(/--backbones (\S+)/g)].flatMap(([, names]) => names!.split(","))
  );
  const shipped = await Promise.all([...new Set(named)].map(async (name) => {
    const card = join(repository, "zoo", `${name}.json`);
    return await Deno.stat(card).then(() => [name], () => []);
  }));
  for (const name of new Set(shipped.flat())) await writeRandomWeights(root, name);
  assert.ok(recipes.length > 3, `${recipes.length} recipes`);
  for (const { at, commands, notRun } of recipes) {
    if (notRun === undefined) {
      await t.step(`${at} runs`, async () => {
        const { code, stderr } = await bash(root, commands.replaceAll("/tmp/", `${root}/tmp/`));
        assert.equal(code, 0, stderr);
      });
      continue;
    }
    await t.step(`${at} is not run: ${notRun}`, async () => {
      assert.ok(notRun.length > 3, "a reason is given");
      for (const words of tasksIn(commands)) {
        const task = words.split(" ")[1]!;
        assert.ok(task in tasks, `there is no task ${task}`);
        if (commandOf(task)?.includes("/cli/") !== true) continue;
        const { code, stdout, stderr } = await bash(root, `deno ${words} --help`);
        assert.equal(code, 0, `${words}: ${stderr}`);
        for (const [flag] of words.matchAll(/--[a-z][a-z-]*/g)) {
          assert.ok(stdout.includes(flag), `${words}: there is no ${flag} in ${stdout}`);
        }
      }
    });
  }
});
