import { UserError } from "../files/mod.ts";
import type { PlanRequest } from "../pipeline/mod.ts";

/** The flags that choose what is planned, shared by the commands that plan. */
export interface PlanFlags {
  readonly profile: string;
  readonly backbones?: readonly string[];
  readonly methods?: readonly string[];
  readonly seeds?: readonly number[];
  readonly engine: "ort" | "tfjs";
  readonly device: "cpu" | "webgpu" | "cuda";
}

const name = (input: string) => input;

/** Reads a whole number from 0. */
export function parseSeed(input: string): number {
  const seed = Number(input);
  if (!/^\d+$/.test(input) || !Number.isSafeInteger(seed)) {
    throw new UserError(`A seed is a whole number from 0, not "${input}".`);
  }
  return seed;
}

/** How the command line describes {@linkcode PlanFlags}. */
export const planFlags = {
  profile: {
    kind: "parsed",
    parse: name,
    brief: "Which data and models: world (embedded) or paper",
    default: "world",
  },
  backbones: {
    kind: "parsed",
    parse: name,
    brief: "Only these columns, as a,b",
    variadic: ",",
    optional: true,
  },
  methods: {
    kind: "parsed",
    parse: name,
    brief: "Only these rows, as a,b",
    variadic: ",",
    optional: true,
  },
  seeds: {
    kind: "parsed",
    parse: parseSeed,
    brief: "Other seeds than the paper's four, as 0,1",
    variadic: ",",
    optional: true,
  },
  engine: {
    kind: "enum",
    values: ["ort", "tfjs"],
    brief: "What trains the CAVs",
    default: "ort",
  },
  device: {
    kind: "enum",
    values: ["cpu", "webgpu", "cuda"],
    brief: "Where the models run",
    default: "cpu",
  },
} as const;

/** The plan that flags and positional ids ask for. */
export function planRequestOf(
  { profile, backbones, methods, seeds, engine, device }: PlanFlags,
  { root, experiments }: Pick<PlanRequest, "root" | "experiments">,
): PlanRequest {
  return { root, profile, experiments, backbones, methods, seeds, engine, device };
}
