import { join } from "node:path";
import { z } from "zod";
import { fileHash, jsonOrNothing, UserError } from "../files/mod.ts";
import { closure, describeConfigs, type Plan, targetsOf } from "../pipeline/mod.ts";
import { canonicalJson, type Json } from "../store/mod.ts";

const schema = z.looseObject({
  schema: z.literal("lg-cav/manifest"),
  id: z.string(),
  profile: z.string(),
  configs: z.record(z.string(), z.unknown()),
  models: z.record(z.string(), z.unknown()),
  stages: z.record(z.string(), z.looseObject({ id: z.string() })),
  targets: z.array(z.string()),
  code: z.looseObject({ commit: z.string().nullable() }),
  files: z.record(z.string(), z.string()),
});

/** What a manifest says of a result that is to be made again, byte for byte. */
export type FrozenResult = z.output<typeof schema>;

/**
 * Reads the manifest of a result.
 *
 * @throws {UserError} when there is none, or it is of another result than the one asked for.
 */
export async function readFrozen(
  path: string,
  { experiments, profile }: { readonly experiments: readonly string[]; readonly profile: string },
): Promise<FrozenResult> {
  const text = await Deno.readTextFile(path).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UserError(`There is no manifest ${path}. Correct the path.`, { cause });
  });
  const { success, data } = schema.safeParse(jsonOrNothing(text));
  if (!success) throw new UserError(`${path} is no manifest of a result. Name a manifest.json.`);
  if (experiments.length !== 1 || experiments[0] !== data.id || profile !== data.profile) {
    throw new UserError(
      `${path} is of ${data.id} in the profile ${data.profile}. Run "deno task reproduce ${data.id} ` +
        `--profile ${data.profile} --frozen ${path}".`,
    );
  }
  return data;
}

/**
 * Checks that a plan computes what a manifest records: the same stages by their keys.
 *
 * @throws {UserError} when it does not, which names what differs.
 */
export function requireSamePlan(plan: Plan, frozen: FrozenResult): void {
  const today = closure(plan.graph, targetsOf(plan.experiments));
  const other = today.filter(({ key }) => !(key in frozen.stages));
  if (other.length === 0 && targetsOf(plan.experiments).length === frozen.targets.length) return;
  const [planned] = plan.experiments;
  const causes = [
    ...differing("configs", describeConfigs(plan, planned!), frozen.configs),
    ...differing("models", planned!.models, frozen.models),
  ];
  throw new UserError(
    `${other.length} of ${today.length} stages are not those of the manifest, such as "${
      other[0]?.id ?? "fewer targets"
    }"; ${
      causes.length === 0
        ? "its configs and models are the same, so its code or packages differ"
        : causes.join(", ")
    }. Take the commit ${frozen.code.commit ?? "that made it"} and the same inputs.`,
  );
}

/** The files of a result folder whose bytes are not those that a manifest records. */
export async function differingFiles(folder: string, { files }: FrozenResult): Promise<string[]> {
  const different: string[] = [];
  for (const [name, hash] of Object.entries(files)) {
    if (await fileHash(join(folder, name)) !== hash) different.push(name);
  }
  return different;
}

function differing(
  what: string,
  today: Readonly<Record<string, unknown>>,
  then: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(today), ...Object.keys(then)])].filter((name) =>
    canonicalJson((today[name] ?? null) as Json) !== canonicalJson((then[name] ?? null) as Json)
  );
  return names.length === 0 ? [] : [`other ${what}: ${names.join(", ")}`];
}
