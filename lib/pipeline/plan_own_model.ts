import { existsSync } from "node:fs";
import { basename, extname, join, relative, resolve } from "node:path";
import type { BundleConfig } from "../cav/mod.ts";
import type { PreprocessSpec, Profile } from "../config/mod.ts";
import { treeHash, UserError } from "../files/mod.ts";
import { type InspectedModel, inspectModel, type ModelChoices, onnxFiles } from "../models/mod.ts";
import type { Digests, Json } from "../store/mod.ts";
import { loadLastLayer, type ModelHow } from "./models.ts";
import { planModels, type PlannedModel } from "./plan_models.ts";

/** A model of the user's choice with the value that holds its features. */
export interface PlannedOwnModel extends PlannedModel {
  /** What features of it depend on. */
  readonly output: string;
  /** As a bundle's config.json describes it. */
  readonly described: Omit<BundleConfig["model"], "dim" | "classNames">;
  /** What was found in an ONNX file. */
  readonly inspected?: InspectedModel;
}

/** Which model, and what of it. */
export interface OwnModelRequest {
  /** The folder of configs/ and zoo/. */
  readonly root: string;
  /** An ONNX file, or the name of a backbone. */
  readonly model: string;
  readonly profile: Profile;
  /** A value of an ONNX file, or `last` and `intermediate_pooled` of a backbone. */
  readonly layer?: string | undefined;
  readonly choices?: ModelChoices | undefined;
}

/** Whether words name an ONNX file, and no backbone. */
export function isOnnxFile(model: string): boolean {
  return extname(model).toLowerCase() === ".onnx" || model.includes("/") || model.includes("\\");
}

/**
 * Finds a model: an ONNX file anywhere, or a backbone with the weights of a profile.
 *
 * @throws {UserError} when it is not there, cannot be read or has no such layer.
 */
export async function planOwnModel(
  request: OwnModelRequest,
  { digests }: { readonly digests: Digests },
): Promise<PlannedOwnModel> {
  const { root, model } = request;
  if (isOnnxFile(model)) return await onnxModel(request, { digests });
  const isBackbone = existsSync(join(root, "configs", "backbones", `${model}.json`));
  if (!isBackbone && existsSync(resolve(root, model))) {
    throw new UserError(
      `${model} is a file, and no ONNX model by its name. Export the model to a file.onnx.`,
    );
  }
  if (!isBackbone) {
    throw new UserError(
      `There is no backbone "${model}". Name an ONNX file, such as ./model.onnx, or one of ` +
        `configs/backbones.`,
    );
  }
  return await backbone(request, { digests });
}

async function backbone(
  { root, model, profile, layer = "last" }: OwnModelRequest,
  { digests }: { readonly digests: Digests },
): Promise<PlannedOwnModel> {
  const target = await planModels({ root, profile, digests }).target(model);
  const { how, identity } = target;
  if (how.type !== "built") {
    throw new UserError(`Backbone ${model} is an ONNX file: name the file itself.`);
  }
  const sha256 = `${(identity as { readonly weights?: unknown }).weights}`;
  if (sha256 === "missing") {
    throw new UserError(
      `The weights of ${model}, ${
        relative(root, how.file)
      }, are not there. Get them with "deno task ` +
        `data fetch --profile ${profile.name}", or take the profile world.`,
    );
  }
  return {
    ...target,
    output: target.outputOf(layer),
    described: {
      name: model,
      sha256,
      profile: profile.name,
      layer,
      preprocess: how.config.preprocess,
    },
  };
}

async function onnxModel(
  { root, model, layer: named, choices }: OwnModelRequest,
  { digests }: { readonly digests: Digests },
): Promise<PlannedOwnModel> {
  const file = resolve(root, model);
  const inspected = await inspectModel(file, choices);
  const { image: input, lastLayer, preprocess: { spec: preprocess } } = inspected;
  const layer = named ?? ("features" in lastLayer ? lastLayer.features : undefined);
  if (layer === undefined) {
    throw new UserError(
      `${file} has no last linear layer whose input could be the features (${
        "reason" in lastLayer ? lastLayer.reason : ""
      }); name a value with --layer, as "cav inspect" lists them.`,
    );
  }
  const files = await onnxFiles({ file } as Parameters<typeof onnxFiles>[0]);
  const hashes = await Promise.all(files.map(async (path) => {
    const sha256 = await digests.file(path);
    if (sha256 === undefined) throw new UserError(`${file} needs ${path}, which is not there.`);
    return { path: relative(join(file, ".."), path), sha256 };
  }));
  const [own, ...beside] = hashes;
  // The name of the file is no part of the model; names of external files are in the graph.
  const sha256 = beside.length === 0
    ? own!.sha256
    : treeHash([{ path: "model.onnx", sha256: own!.sha256 }, ...beside]);
  const name = basename(file);
  return {
    name,
    identity: { type: "own", sha256, input, preprocess } as unknown as Json,
    how: { type: "own", config: { name, file, input, layer, preprocess } },
    output: layer,
    described: { name, sha256, layer, preprocess, input },
    inspected,
  };
}

/** The model that a bundle was made for, as its config describes it. */
export function choicesOfBundle({ model }: BundleConfig): {
  readonly layer: string;
  readonly choices: ModelChoices;
} {
  const { layer, input, preprocess } = model;
  return {
    layer,
    choices: {
      ...(input && { input: input.name, imageSize: input.imageSize }),
      preprocess: preprocess as PreprocessSpec,
    },
  };
}

/**
 * What is known of a backbone with the weights of a profile.
 *
 * @throws {UserError} when there is none, or its weights are not there.
 */
export async function describeBackbone(
  request: Omit<OwnModelRequest, "layer" | "choices">,
  options: { readonly digests: Digests },
) {
  const { described, how } = await planOwnModel(request, options);
  const { config } = how as Extract<ModelHow, { readonly type: "built" }>;
  const { weight: { shape: [classes, width] } } = await loadLastLayer(
    how as Extract<ModelHow, { readonly type: "built" }>,
  );
  return {
    name: described.name,
    sha256: described.sha256,
    profile: request.profile.name,
    layers: ["last", ...(config.intermediate ? ["intermediate", "intermediate_pooled"] : [])],
    classes: classes!,
    width: width!,
    preprocess: { spec: config.preprocess, imageSize: config.architecture.imageSize },
  };
}
