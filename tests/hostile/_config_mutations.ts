import type { Random } from "../../lib/tensor/mod.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Path = readonly (string | number)[];

const long = "x".repeat(100_000);

/** What stands where something else is expected, drawn each time since it is large. */
const values: readonly (() => Json)[] = [
  ...[
    null,
    true,
    "",
    " ",
    "0",
    "NaN",
    "\0",
    "\u001b[2J",
    ".",
    "constructor",
    "x".repeat(300),
    long,
  ],
  ...[0, -0, -1, 1, 2, 0.5, 1e-45, -1e300, 1e300, 1e9, 1e12, 2 ** 31, 2 ** 53, 65_536, 100_000],
].map((value) => () => value);
/** What is as deep as the stack is put in as text. */
const containers: readonly (() => Json)[] = [
  () => [],
  () => ({}),
  () => [null],
  () => Array(100_000).fill(0),
  () => Array.from({ length: 10_000 }, (_, i) => i),
  () => "@lists",
  () => "@objects",
  () => ({ value: 1e9, source: "paper", why: "" }),
  () => ({ value: 1, source: "assumed" }),
];

/** Files that another one cannot extend. */
const bases = [
  "",
  ".",
  "..",
  "base",
  "missing.json",
  "x".repeat(2000),
  "\0",
  "../../../../dev/zero",
];

const texts: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => text.slice(0, random.integer(text.length)),
  (text) => `\ufeff${text}`,
  () => "",
  () => "\ufeff",
  () => "null",
  () => "[]",
  () => '"text"',
  () => "[".repeat(200_000),
  (text) => text.replace(/\d+/, "1e999"),
  (text) => text.replace(/"/, "'"),
  () => '{"extends": 1}',
];

/**
 * The text of a damaged copy of a config: one or two fields of other types, extreme, missing, unknown
 * or repeated, or a damaged file.
 *
 * @param name of the file, which may then extend itself.
 */
export function mutatedConfig(text: string, random: Random, name: string): string {
  if (random.integer(10) === 0) return random.pick(texts)(text, random);
  const config = JSON.parse(text) as Json;
  for (let left = 1 + random.integer(2); left > 0; left--) {
    const paths = pathsOf(config).filter((path) => path.length > 0);
    if (paths.length > 0) random.pick(changes)(config, { path: random.pick(paths), random, name });
  }
  return JSON.stringify(config)
    .replaceAll('"@lists"', `${"[".repeat(20_000)}0${"]".repeat(20_000)}`)
    .replaceAll('"@objects"', `${'{"value":'.repeat(20_000)}0${"}".repeat(20_000)}`);
}

interface Change {
  readonly path: Path;
  readonly random: Random;
  readonly name: string;
}

const changes: readonly ((config: Json, change: Change) => void)[] = [
  replace,
  replace,
  replace,
  replace,
  (config, { path }) => {
    const parent = parentOf(config, path);
    if (Array.isArray(parent)) parent.splice(Number(path.at(-1)), 1);
    else delete parent[String(path.at(-1))];
  },
  (config, { path, random }) => {
    const parent = parentOf(config, path);
    const value = random.pick(values)();
    if (Array.isArray(parent)) parent.push(parent[Number(path.at(-1))]!);
    else parent[random.pick(["unknown", "toString", "value", "source", "", "\0"])] = value;
  },
  (config, { random, name }) => {
    if (!Array.isArray(config)) {
      (config as Record<string, Json>).extends = random.pick([...bases, name, `./${name}`]);
    }
  },
];

function replace(config: Json, { path, random }: Change): void {
  const parent = parentOf(config, path) as Record<string | number, Json>;
  parent[path.at(-1)!] = random.pick(random.integer(3) === 0 ? containers : values)();
}

function pathsOf(node: Json, path: Path = []): Path[] {
  if (typeof node !== "object" || node === null) return [path];
  const children = Object.entries(node).slice(0, 1000);
  return [
    path,
    ...children.flatMap(([key, child]) =>
      pathsOf(child, [...path, Array.isArray(node) ? Number(key) : key])
    ),
  ];
}

function parentOf(config: Json, path: Path): Json[] | { [key: string]: Json } {
  const parent = path.slice(0, -1).reduce<Json>(
    (node, key) => (node as Record<string | number, Json>)[key]!,
    config,
  );
  return parent as Json[] | { [key: string]: Json };
}
