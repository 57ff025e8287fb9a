import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Correction,
  type CorrectionConfig,
  correctionSchema,
  loadConfig,
  type Method,
  type MethodConfig,
  methodSchema,
  parseConfig,
  plain,
  printedHyperparameters,
} from "../config/mod.ts";
import type { Cell } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import type { PlanRequest } from "./plan_request.ts";

/** What a level of the factor `method` names: a method of CAVs, or a correction. */
export type AnyMethodConfig = MethodConfig | CorrectionConfig;

/** The same with bare hyper-parameters. */
export type AnyMethod = Method | Correction;

const folders = {
  methods: { path: (name: string) => `configs/methods/${name}.json`, schema: methodSchema },
  corrections: {
    path: (name: string) => `configs/corrections/${name}.json`,
    schema: correctionSchema,
  },
};

/** Where a level is read from: configs/corrections where it is there, else configs/methods. */
function folderOf(name: string, root: string) {
  const { methods, corrections } = folders;
  return existsSync(join(root, corrections.path(name))) ? corrections : methods;
}

/** Reads what a level of the factor `method` names. */
export async function readMethod(
  name: string,
  { request: { root }, configs }: {
    readonly request: Pick<PlanRequest, "root">;
    readonly configs: Record<string, unknown>;
  },
): Promise<AnyMethodConfig> {
  const { path, schema } = folderOf(name, root);
  const config = await loadConfig<typeof schema>(join(root, path(name)), schema);
  configs[path(name)] = config;
  return config;
}

/** What methods of a base have at a printed value, and may leave out. */
function printedOf(base: string): Readonly<Record<string, { readonly value: unknown }>> {
  return base in printedHyperparameters
    ? printedHyperparameters[base as keyof typeof printedHyperparameters]
    : {};
}

/** Whether a method makes CAVs, and is no correction. */
export function makesCavs(method: AnyMethod): method is Method {
  return "parts" in method;
}

/** A method with the hyper-parameters that the cell's factors sweep at other levels. */
export function withHyperparameters(
  config: AnyMethodConfig,
  { hyperparameters, levels }: Cell,
): AnyMethod {
  const own = "hyperparameters" in config
    ? config.hyperparameters as Readonly<Record<string, { readonly value: unknown }>>
    : {};
  const printed = printedOf(config.base);
  const known: typeof own = { ...printed, ...own };
  const unknown = Object.keys(hyperparameters).find((name) => !(name in known));
  if (unknown !== undefined) {
    throw new UserError(
      `The method ${config.id} has no hyper-parameter "${unknown}", which the experiment sweeps; it ` +
        `has ${Object.keys(known).join(", ") || "none"}. Exclude the method or correct the name.`,
    );
  }
  const swept = Object.fromEntries(
    Object.entries(hyperparameters)
      .filter(([name, value]) => name in own || value !== printed[name]?.value)
      .map(([name, value]) => [name, { ...known[name]!, value }]),
  );
  const { path, schema } = "parts" in config ? folders.methods : folders.corrections;
  const resolved = parseConfig<typeof schema>(path(`${levels["method"]}`), schema, {
    spec: {
      ...config,
      ...("hyperparameters" in config && { hyperparameters: { ...own, ...swept } }),
    },
  });
  return plain(resolved) as AnyMethod;
}
