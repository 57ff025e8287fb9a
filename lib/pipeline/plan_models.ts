import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import {
  backboneSchema,
  type BuiltBackbone,
  hubModelSchema,
  loadConfig,
  oneOf,
  type Profile,
  withSizes,
} from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import {
  type BackboneCost,
  type FeatureCost,
  featureCost,
  onnxFiles,
  readLastLayer,
  sentenceEncoderHash,
  vlFeatureCost,
  vlModelHash,
} from "../models/mod.ts";
import type { Digests, Json } from "../store/mod.ts";
import type { ModelHow, TargetHow } from "./models.ts";
import { UnavailableError } from "./unavailable_error.ts";

/** A model of a plan: what identifies it, where it is, and what it costs. */
export interface PlannedModel<How extends ModelHow = ModelHow> {
  readonly name: string;
  /** Everything that its values depend on, besides the images. */
  readonly identity: Json;
  /** What its pooled intermediate features are made of, where it has them. */
  readonly pooled?: Json;
  readonly how: How;
  /** What one of its outputs costs; unknown of a model that comes as a graph. */
  readonly costOf?: (output: string) => FeatureCost;
}

/** A target model, with the output that holds the features of each layer. */
export interface PlannedTarget extends PlannedModel<TargetHow> {
  readonly costOf?: (output: string) => BackboneCost;
  readonly title: string;
  readonly short: string;
  /** Identifies the names of its logits, where it brings its own. */
  readonly classNames?: string;
  /** The output that a level of the factor `layer` stands for. */
  readonly outputOf: (layer: string) => string;
}

/** The models of a plan by name; each is identified once. */
export interface PlannedModels {
  readonly target: (name: string) => Promise<PlannedTarget>;
  readonly vl: (
    name: string,
  ) => Promise<PlannedModel<Extract<ModelHow, { type: "vl" }>> & { readonly title: string }>;
  readonly sentenceEncoder: (name: string) => Promise<{
    readonly hash: string;
    readonly how: { readonly config: z.output<typeof hubModelSchema>; readonly hubFolder: string };
  }>;
}

/** Where models are looked for. */
interface ModelOptions {
  readonly root: string;
  readonly profile: Profile;
  readonly digests: Digests;
}

/** The models that a profile offers. */
export function planModels(options: ModelOptions): PlannedModels {
  return {
    target: oncePerName((name) => targetModel(name, options)),
    vl: oncePerName((name) => vlModel(name, options)),
    sentenceEncoder: oncePerName(async (name) => {
      const { config, hubFolder } = await hubModel(name, options);
      const hash = await orMissing(
        sentenceEncoderHash(config, { hubFolder, digestOf: options.digests.file }),
      );
      return { hash, how: { config, hubFolder } };
    }),
  };
}

function oncePerName<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>();
  return (name) => {
    const known = made.get(name) ?? make(name);
    made.set(name, known);
    return known;
  };
}

/** The card beside shipped weights, as far as a plan needs it. */
const cardSchema = z.looseObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * A backbone with the weights of a profile, or a user's own ONNX classifier. The hash of shipped
 * weights must be that of the card beside them, of released ones that in the file's name.
 */
async function targetModel(name: string, options: ModelOptions): Promise<PlannedTarget> {
  const { root, profile, digests } = options;
  const path = join(root, "configs", "backbones", `${name}.json`);
  const config = await loadConfig(path, backboneSchema);
  const { title = name, short = title } = config;
  const named = { name, title, short };
  if (config.family === "onnx") {
    const located = {
      ...config,
      file: resolve(root, config.file),
      classNames: resolve(root, config.classNames),
    };
    const { family, input, features, logits, preprocess } = config;
    const files = await onnxFiles(located);
    const [namesHash, ...hashes] = await Promise.all(
      [located.classNames, ...files].map((file) => digests.file(file)),
    );
    const absent = [namesHash, ...hashes].indexOf(undefined);
    if (absent !== -1) {
      const missing = [located.classNames, ...files][absent];
      throw new UserError(
        `Backbone ${name} needs ${missing}, which is not there. Correct the path in its config.`,
      );
    }
    await readLastLayer(located);
    return {
      ...named,
      identity: { family, input, features, logits, preprocess, hashes } as unknown as Json,
      classNames: namesHash!,
      how: { type: "onnx", config: located },
      outputOf: (layer) => outputOfLayer(name, layer, undefined),
    };
  }
  const sized = withSizes(config, profile.backbones.sizes);
  const file = join(root, profile.backbones.weights.replaceAll("{name}", name));
  const hash = await digests.file(file);
  if (hash !== undefined) await requireHash(config, { file, hash, profile });
  const { architecture, preprocess } = sized;
  return {
    ...named,
    identity: { architecture, preprocess, weights: hash ?? "missing" } as unknown as Json,
    ...(sized.intermediate && { pooled: sized.intermediate.value }),
    how: { type: "built", config: sized, file },
    costOf: oncePerName((output) => featureCost(sized, output)),
    outputOf: (layer) => outputOfLayer(name, layer, sized.intermediate?.value.output),
  };
}

async function requireHash(
  { name, weights }: BuiltBackbone,
  { file, hash, profile }: {
    readonly file: string;
    readonly hash: string;
    readonly profile: Profile;
  },
): Promise<void> {
  const expected = profile.backbones.check === "card"
    ? (await loadConfig(cardPath(file), cardSchema)).sha256
    : weights.sha256Prefix;
  if (expected === undefined || hash.startsWith(expected)) return;
  throw new UserError(
    `The weights ${file} of ${name} have SHA-256 ${hash}, and ${expected} is expected; the file is ` +
      `damaged or another one: delete it and fetch it again, or correct the config.`,
  );
}

/** What stands for a level of the factor `layer`. */
function outputOfLayer(name: string, layer: string, intermediate: string | undefined): string {
  oneOf("layer", layer, ["last", "intermediate", "intermediate_pooled"]);
  if (layer === "last") return "features";
  if (intermediate === undefined) {
    throw new UserError(
      `Backbone ${name} names no intermediate features. Add "intermediate" to its config, or leave ` +
        `it out.`,
    );
  }
  return layer === "intermediate" ? intermediate : "intermediate_pooled";
}

async function hubModel(name: string, { root }: Pick<ModelOptions, "root">) {
  const config = await loadConfig(join(root, "configs", "vl", `${name}.json`), hubModelSchema);
  const located = "folder" in config ? { ...config, folder: resolve(root, config.folder) } : config;
  return { config: located, hubFolder: join(root, "data", "hub") };
}

/** The VL model that stands for one of the paper's names in a profile. */
async function vlModel(name: string, options: ModelOptions) {
  const { profile: { name: profile, vlModels }, root } = options;
  if (vlModels[name] === undefined && existsSync(join(root, "configs", "vl", `${name}.json`))) {
    throw new UnavailableError(
      `The profile ${profile} has no VL model that stands for ${name}; it has some for ` +
        `${Object.keys(vlModels).join(", ")}. Take another profile.`,
    );
  }
  oneOf("VL model of this profile", name, Object.keys(vlModels));
  const { config, hubFolder } = await hubModel(vlModels[name]!, options);
  const identity = await orMissing(
    vlModelHash(config, { hubFolder, digestOf: options.digests.file }),
  );
  const cost = await vlFeatureCost(config, { hubFolder });
  return {
    name: vlModels[name]!,
    title: await titleOfPaperModel(name, options) ?? config.title ?? name,
    ...(cost && { costOf: () => cost }),
    identity,
    how: { type: "vl", config, hubFolder } as const,
  };
}

/** What the paper calls a VL model: the title of the config of that name, where there is one. */
async function titleOfPaperModel(
  name: string,
  { root }: Pick<ModelOptions, "root">,
): Promise<string | undefined> {
  const path = join(root, "configs", "vl", `${name}.json`);
  return existsSync(path) ? (await loadConfig(path, hubModelSchema)).title : undefined;
}

/**
 * A hash, or "missing" where the files are not there: a plan can still be shown, and running it says
 * what to bring.
 */
async function orMissing(hash: Promise<string>): Promise<string> {
  return await hash.catch((error) => {
    if (error instanceof UserError) return "missing";
    throw error;
  });
}

function cardPath(weights: string): string {
  return join(dirname(weights), `${basename(weights, ".safetensors")}.json`);
}
