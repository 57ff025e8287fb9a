import { join } from "node:path";
import {
  loadConfig,
  type Method,
  type MethodConfig,
  methodSchema,
  parseConfig,
  plain,
} from "../config/mod.ts";
import type { Cell } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import type { Known } from "./_planning.ts";

/** Reads a CAV method of configs/methods. */
export async function readMethod(
  name: string,
  { request: { root }, configs }: Pick<Known, "request" | "configs">,
): Promise<MethodConfig> {
  const path = `configs/methods/${name}.json`;
  const config = await loadConfig(join(root, path), methodSchema);
  configs[path] = config;
  return config;
}

/** A method with the hyper-parameters that the cell's factors sweep at other levels. */
export function withHyperparameters(
  config: MethodConfig,
  { hyperparameters, levels }: Cell,
): Method {
  const spec = config as unknown as {
    readonly hyperparameters: Readonly<Record<string, { readonly value: unknown }>>;
  };
  const unknown = Object.keys(hyperparameters).find((name) => !(name in spec.hyperparameters));
  if (unknown !== undefined) {
    throw new UserError(
      `The method ${config.id} has no hyper-parameter "${unknown}", which the experiment sweeps; it ` +
        `has ${
          Object.keys(spec.hyperparameters).join(", ")
        }. Exclude the method or correct the name.`,
    );
  }
  const swept = Object.fromEntries(
    Object.entries(hyperparameters).map(([name, value]) => [
      name,
      { ...spec.hyperparameters[name]!, value },
    ]),
  );
  const resolved = parseConfig(
    `configs/methods/${levels["method"]}.json`,
    methodSchema,
    { spec: { ...spec, hyperparameters: { ...spec.hyperparameters, ...swept } } },
  );
  return plain(resolved) as Method;
}
