import { parseConfig, type Plain, plain } from "../config/mod.ts";
import { quote, UserError } from "../files/mod.ts";
import { type Experiment, settingsSchema } from "./experiment.ts";

/** A level of a factor: a name, or a number of a swept setting. */
export type Level = string | number;

/** One level of each factor, by the factor's name. */
export type Levels = Readonly<Record<string, Level>>;

/** The factors that every experiment has, in the order of the columns of a run. */
export const coreFactors = [
  "dataset",
  "backbone",
  "layer",
  "vlModel",
  "method",
  "seed",
] as const;

/** The settings of a cell, bare values. */
export type Settings = Plain<Experiment["settings"]>;

/** One combination of levels, with the settings that they make. */
export interface Cell {
  readonly levels: Levels;
  readonly settings: Settings;
  /** Hyper-parameters of the cell's method that its factors replace, by name. */
  readonly hyperparameters: Readonly<Record<string, Level>>;
}

/** The levels of every factor of an experiment, core factors first. */
export function factorLevels(
  { id, factors }: Pick<Experiment, "id" | "factors">,
): ReadonlyMap<string, readonly Level[]> {
  const missing = coreFactors.find((name) => factors[name] === undefined);
  if (missing !== undefined) {
    throw new UserError(`experiments/${id}.json has no factor "${missing}". Add its levels.`);
  }
  const swept = Object.keys(factors).filter((name) => !coreFactors.includes(name as never));
  return new Map([...coreFactors, ...swept].map((name) => {
    const entry = factors[name]!;
    return [name, "value" in entry ? entry.value : entry];
  }));
}

/** The combinations of levels that an experiment may have; the largest of the paper's has 256. */
const maxCombinations = 10_000;

/**
 * The combinations of levels of an experiment: the product of its factors, less what it excludes, in
 * the order of the levels, the last factor fastest.
 *
 * @param options.quoted whether those that are shown as the paper quotes them are among them; they
 * are never run.
 * @throws {UserError} when there are more than ten thousand, or none is left.
 */
export function combinationsOf(
  experiment: Pick<Experiment, "id" | "factors" | "exclude" | "quoted">,
  { quoted = false }: { readonly quoted?: boolean } = {},
): Levels[] {
  const all = factorLevels(experiment);
  const count = [...all.values()].reduce((product, levels) => product * levels.length, 1);
  if (count > maxCombinations) {
    throw new UserError(
      `experiments/${experiment.id}.json combines its factors in ${count} ways, and ` +
        `${maxCombinations} are allowed. Take fewer levels, or several experiments.`,
    );
  }
  let combinations: Levels[] = [{}];
  for (const [name, levels] of all) {
    combinations = combinations.flatMap((combination) =>
      levels.map((level) => ({ ...combination, [name]: level }))
    );
  }
  const rules = quoted ? experiment.exclude : [...experiment.exclude, ...experiment.quoted];
  const left = combinations.filter((levels) => !rules.some((rule) => matches(levels, rule)));
  if (left.length > 0) return left;
  throw new UserError(
    `experiments/${experiment.id}.json excludes every combination of its factors. Exclude fewer.`,
  );
}

/**
 * The cells of an experiment, one for each of its combinations that is run: none of a quoted one.
 *
 * @throws {UserError} for a factor that is neither a core factor nor the path of a setting, and for a
 * level that the setting may not have.
 */
export function cellsOf(experiment: Experiment): Cell[] {
  return combinationsOf(experiment).map((levels) => resolveCell(experiment, levels));
}

function matches(levels: Levels, rule: Readonly<Record<string, readonly Level[]>>): boolean {
  return Object.entries(rule).every(([name, excluded]) => excluded.includes(levels[name]!));
}

const ofMethod = "method.";

function resolveCell(experiment: Experiment, levels: Levels): Cell {
  const { id } = experiment;
  let settings: unknown = experiment.settings;
  const hyperparameters: Record<string, Level> = {};
  for (const [name, level] of Object.entries(levels)) {
    if (coreFactors.includes(name as never)) continue;
    if (name.startsWith(ofMethod)) hyperparameters[name.slice(ofMethod.length)] = level;
    else settings = withSetting(settings, { name, level, id });
  }
  const parsed = parseConfig(`experiments/${id}.json`, settingsSchema, { spec: settings });
  return { levels, settings: plain(parsed), hyperparameters };
}

/** The settings with one of them, named by its path, at another level. */
function withSetting(
  settings: unknown,
  { name, level, id }: { readonly name: string; readonly level: Level; readonly id: string },
): unknown {
  const replace = (node: unknown, path: readonly string[]): unknown => {
    const [key, ...rest] = path;
    const fields = Object.entries(node ?? {});
    const isSetting = fields.some(([field]) => field === "source");
    if (key === undefined && isSetting) return { ...Object.fromEntries(fields), value: level };
    const child = isSetting ? undefined : fields.find(([field]) => field === key)?.[1];
    if (child === undefined) {
      throw new UserError(
        `experiments/${id}.json has a factor ${quote(name)}, which is neither one of ` +
          `${
            coreFactors.join(", ")
          } nor the path of a setting, such as "shots", "probes.count" or ` +
          `"method.coefficient". Correct its name.`,
      );
    }
    return { ...Object.fromEntries(fields), [key!]: replace(child, rest) };
  };
  return replace(settings, name.split("."));
}
