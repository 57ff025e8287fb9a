import assert from "node:assert/strict";
import { join } from "node:path";
import { runCommandLine } from "../../lib/cli/application.ts";
import type { CliContext } from "../../lib/cli/context.ts";
import { miniRoot, repository } from "../cli/_mini_root.ts";

const root = await miniRoot();
// A folder that is not empty, so that no command line renders the world.
await Deno.mkdir(join(root, "world"));
await Deno.writeTextFile(join(root, "world", "mine.txt"), "");

/** Runs a command line in this process; what it prints is kept. */
async function runHere(args: readonly string[]): Promise<{ code: number; printed: string }> {
  const printed: string[] = [];
  const output = { isTerminal: false, write: (text: string) => void printed.push(text) };
  const context: CliContext = {
    process: { stdout: output, stderr: output },
    root,
    storeRoot: join(root, ".cache"),
    interrupt: new AbortController().signal,
  };
  return { code: await runCommandLine(args, context), printed: printed.join("") };
}

/** Every command with arguments that it takes, and the names of its flags. */
const commands: readonly (readonly [words: readonly string[], flags: readonly string[]])[] = [
  [
    ["reproduce", "table2", "--dry-run"],
    ["profile", "backbones", "methods", "seeds", "engine", "device", "jobs", "rehash", "json"],
  ],
  [["list"], ["profile", "json"]],
  [["status"], ["profile", "json"]],
  [["verify", "table2"], ["profile"]],
  [["world", "export", "world"], ["datasets", "seed", "trainPerClass", "train-per-class"]],
  [["data", "list"], ["for", "profile", "json"]],
  [["data", "fetch", "--offline"], ["for", "profile", "jobs"]],
  [["data", "check"], []],
  [["data", "where", "."], []],
  [["clean"], []],
];

const values = [
  ...[
    "",
    " ",
    ",",
    "0",
    "0,0",
    "00",
    "-1",
    "0.5",
    "1e9",
    "1e400",
    "NaN",
    "Infinity",
    "9".repeat(30),
  ],
  ...[
    "x",
    "x".repeat(300),
    "x".repeat(10_000),
    "\u001b[2J",
    "\0",
    "../world",
    "world.json",
    "__proto__",
    "all",
    "*",
  ],
  ...["resnet18,resnet18", "resnet18,,resnet34", "cuda", "webgpu", "tfjs", "paper", "\u{1f600}"],
];

function* commandLines(): Generator<readonly string[]> {
  for (const [words, flags] of commands) {
    for (const flag of [...flags, "unknown", "Profile", "", "help-me"]) {
      yield [...words, `--${flag}`];
      for (const value of values) yield [...words, `--${flag}`, value];
      yield [...words, `--${flag}=x`];
      yield [...words, `--${flag}`, "world", `--${flag}`, "world"];
    }
    for (const value of values) yield [...words, value];
    yield words.slice(0, 1);
    yield [...words, "-x"];
    yield [...words, "--help"];
  }
  for (const value of values) yield [value];
  yield [];
}

Deno.test("every command line ends with exit code 0 or 2, in short sentences without a stack", async () => {
  const faults: string[] = [];
  const codes = { 0: 0, 2: 0 };
  for (const args of commandLines()) {
    const { code, printed } = await runHere(args);
    // deno-lint-ignore no-control-regex -- what a terminal would obey
    const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;
    const fault = code !== 0 && code !== 2
      ? "ends otherwise"
      : /\n\s+at .*:\d+/.test(printed)
      ? "shows a stack"
      : control.test(printed)
      ? "prints control characters"
      : code === 2 && (printed === "" || printed.length > 10_000)
      ? "says nothing or too much"
      : undefined;
    if (fault === undefined) codes[code as 0 | 2]++;
    else {faults.push(
        `${JSON.stringify(args).slice(0, 300)} ${fault}:\n${code} ${printed.slice(0, 600)}`,
      );}
  }
  assert.equal(faults.length, 0, faults.join("\n\n"));
  assert.ok(codes[0] > 0 && codes[2] > codes[0], JSON.stringify(codes));
});

Deno.test("seeds and backbones that are named twice are planned once", async () => {
  const planned = async (...flags: string[]) =>
    (await runHere(["reproduce", "table2", "--dry-run", "--json", ...flags])).printed;
  assert.equal(await planned("--seeds", "0,0,1"), await planned("--seeds", "0,1"));
  assert.equal(
    await planned("--backbones", "resnet18,resnet18"),
    await planned("--backbones", "resnet18"),
  );
});

Deno.test("world export refuses a number that its config may not have", async () => {
  for (const flag of ["--train-per-class", "--seed"]) {
    const { code, printed } = await runHere(["world", "export", "new", flag, "99999999999"]);
    assert.equal(code, 2);
    assert.match(printed, /failed at (imagenet\.trainPerClass|seed)\.value/);
  }
});

Deno.test("notebooks refuses what is no notebook with exit code 2", async () => {
  for (const args of [["--unknown"], [""], ["missing.ipynb"]]) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", join(repository, "lib", "notebooks", "main.ts"), ...args],
      cwd: root,
    }).output();
    const message = new TextDecoder().decode(stderr);
    assert.equal(code, 2, `${args}: ${message}`);
    assert.doesNotMatch(message, /\n\s+at /);
  }
});
