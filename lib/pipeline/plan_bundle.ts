import { join } from "node:path";
import type { FeatureRows } from "../activations/mod.ts";
import { bundleVersion, signConvention } from "../cav/mod.ts";
import type { ConceptWord } from "../concepts/mod.ts";
import {
  cavConfigSchema,
  loadConfig,
  type MethodConfig,
  methodSchema,
  oneOf,
  plain,
  promptsSchema,
} from "../config/mod.ts";
import { readFolder, UserError } from "../files/mod.ts";
import { decoderVersion } from "../images/mod.ts";
import { textRuntimeVersion } from "../models/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import type { Digests } from "../store/mod.ts";
import { createGraph, type Graph, type GraphBuilder } from "./graph.ts";
import { planFeatures } from "./_plan_features.ts";
import { describeEngine, loadProfile } from "./plan.ts";
import {
  type DataOptions,
  datasetImages,
  folderImages,
  locateDataset,
  type PlannedImages,
} from "./plan_images.ts";
import { planModels, type PlannedModel } from "./plan_models.ts";
import { type OwnModelRequest, type PlannedOwnModel, planOwnModel } from "./plan_own_model.ts";
import type { PlannedEngine, PlanRequest } from "./plan_request.ts";
import type { Stage } from "./stage.ts";
import {
  type BundleInputs,
  bundleKind,
  type BundleNeeds,
  type DatasetFiles,
  wordCavKind,
  wordProbesKind,
  wordShotsKind,
  wordTextKind,
} from "./stages/mod.ts";

/** Which CAVs to train, of what model and words. */
export interface BundleRequest extends OwnModelRequest {
  readonly words: readonly ConceptWord[];
  /** A folder of unlabelled images, or `world` for those of the embedded world. */
  readonly probes: string;
  /** A folder with a folder of images for each word. */
  readonly positives?: string | undefined;
  /** The names of the logits, in their order. */
  readonly classNames?: readonly string[] | undefined;
  /** A name in configs/vl, or of a VL model of the profile. */
  readonly vl?: string | undefined;
  /** Names in configs/methods. */
  readonly methods?: readonly string[] | undefined;
  readonly seeds?: readonly number[] | undefined;
  readonly engine: PlanRequest["engine"];
  readonly device: PlanRequest["device"];
}

/** The stages of a bundle. */
export interface PlannedBundle {
  readonly graph: Graph;
  readonly engine: PlannedEngine;
  readonly bundle: Stage<DatasetFiles>;
  /** The images that take part. */
  readonly images: readonly PlannedImages[];
  readonly model: PlannedOwnModel;
}

/** Words whose vectors one worker trains in one go. */
const wordsTogether = 8;
/** Images that a model sees at once; it changes memory and speed only. */
const batch = 32;
/** The VL model of the paper (Section 4.1). */
const usualVlModel = "clip_vit_l_14";

/**
 * Lays out the stages of a bundle: one word's stages are no other's, so that one more word adds its
 * own and the bundle.
 *
 * @throws {UserError} for an unknown name, a missing file, or methods that ask for labels.
 */
export async function planBundle(
  request: BundleRequest,
  { digests }: { readonly digests: Digests },
): Promise<PlannedBundle> {
  const { root, profile, words, device, positives } = request;
  const graph = createGraph();
  const settings = await loadConfig(join(root, "configs", "cav.json"), cavConfigSchema);
  const prompts = await loadConfig(join(root, settings.prompts), promptsSchema);
  const engine = await describeEngine(request);
  const model = await planOwnModel(request, { digests });
  const vl = await vlModelOf(request, { digests });
  const methods = await methodsOf(request);
  const seeds = [...new Set(request.seeds ?? settings.seeds.value)].sort((a, b) => a - b);
  const options: DataOptions = { graph, root, profile, digests, configs: {} };
  const pool = await poolOf(request, options);
  const labelled = positives === undefined
    ? undefined
    : await folderImages(positives, { ...options, policy: "skip" });
  const rows = rowsOfSources(pool, { graph, model, vl, device });
  const all = labelled === undefined
    ? rows
    : rowsOfSources([labelled, ...pool], { graph, model, vl, device });
  const { count, choice } = plain(settings.probes);
  const needs: Record<string, Stage<unknown>> = { ...rows };
  pool.forEach(({ files, readable }, source) =>
    Object.assign(needs, { [`files${source}`]: files, [`readable${source}`]: readable })
  );
  const control = await methodOf("random_cav", root);
  for (const [c, { name, phrase }] of words.entries()) {
    const bucket = Math.floor(c / wordsTogether);
    const text = graph.stage(wordTextKind, {
      id: `text ${vl.name} ${name}`,
      inputs: {
        model: vl.identity,
        prompts: { prompt: prompts.prompt, ensemble: prompts.ensemble },
        phrase,
        device,
        runtime: textRuntimeVersion,
      },
      needs: {},
      how: { model: vl.how },
      work: `${1 + prompts.ensemble.length} prompts`,
    });
    const probes = graph.stage(wordProbesKind, {
      id: `probes ${vl.name} ${name}`,
      inputs: { word: name, count, choice, heldOut: settings.heldOut.value },
      needs: { text, ...only(rows, "vl") } as never,
      how: { bucket },
      work: `chooses ${count} images at most`,
    });
    needs[`text${c}`] = text;
    needs[`probes${c}`] = probes;
    for (const [s, seed] of seeds.entries()) {
      const shots = labelled && graph.stage(wordShotsKind, {
        id: `${settings.shots.value} shots of ${name}, seed ${seed}`,
        inputs: { word: name, shots: settings.shots.value, seed },
        needs: { files: labelled.files, readable: labelled.readable },
        how: null,
        work: "draws labelled images",
      });
      const cavOf = (method: MethodConfig, ofMethod: Readonly<Record<string, Stage<unknown>>>) => {
        const { id: _, title: __, ...identity } = plain(method);
        return graph.stage(wordCavKind, {
          id: `cav ${model.name} ${method.id} ${name} seed ${seed}`,
          inputs: {
            word: name,
            method: { ...identity, id: method.id, title: method.id } as never,
            seed,
            labelled: labelled === undefined ? "none" : "first source",
            engine,
          },
          needs: ofMethod as never,
          how: { bucket },
          work: `${method.title} for one word`,
        });
      };
      methods.forEach((method, m) => {
        const ofMethod = { ...all, text, probes, ...(shots && { shots }) };
        needs[`cav${m}_${s}_${c}`] = cavOf(method, ofMethod);
      });
      needs[`control${s}_${c}`] = cavOf(control, { features0: all["features0"]! });
    }
  }
  const inputs: BundleInputs = {
    config: {
      schema: "lg-cav/bundle",
      version: bundleVersion,
      model: {
        ...model.described,
        ...(request.classNames && { classNames: request.classNames }),
      },
      vlModel: {
        name: vl.name,
        revision: `${vl.identity}`,
        ...("hub" in vl.how.config && { hub: vl.how.config.hub }),
      },
      concepts: words,
      prompts: { prompt: prompts.prompt, ensemble: prompts.ensemble },
      methods,
      seeds,
      sign: signConvention,
      settings: settings as never,
    },
    settings: plain({
      heldOut: settings.heldOut,
      gates: settings.gates,
      evidence: settings.evidence,
    }),
    of: pool.map(({ of }) => of),
    runtime: `${runtimeVersion}, ${decoderVersion}`,
  };
  const bundle = graph.stage(bundleKind, {
    id: `bundle of ${words.length} words`,
    inputs,
    needs: needs as unknown as { readonly [Role in keyof BundleNeeds]: Stage<BundleNeeds[Role]> },
    how: null,
    work: "measures the vectors and draws the evidence",
  });
  await digests.save();
  const images = [...pool, ...(labelled === undefined ? [] : [labelled])];
  return { graph: graph.nodes, engine, bundle, images, model };
}

/** The unlabelled images: a folder of the user's, or the validation split of the world's ImageNet. */
async function poolOf(
  { probes, root }: BundleRequest,
  options: DataOptions,
): Promise<PlannedImages[]> {
  if (probes !== "world") return [await folderImages(probes, { ...options, policy: "skip" })];
  const profile = await loadProfile(root, "world");
  const located = { ...options, profile };
  const imagenet = await locateDataset("imagenet", located);
  return [
    await datasetImages(imagenet, { ...located, of: { format: "imagenet", split: "val" } }),
  ];
}

function rowsOfSources(
  sources: readonly PlannedImages[],
  { graph, model, vl, device }: {
    readonly graph: GraphBuilder;
    readonly model: PlannedOwnModel;
    readonly vl: PlannedModel;
    readonly device: PlanRequest["device"];
  },
): Readonly<Record<string, Stage<FeatureRows>>> {
  const entries = sources.flatMap((images, source) => [
    [`features${source}`, imageFeatures(images, { graph, model, output: model.output, device })],
    [`vl${source}`, imageFeatures(images, { graph, model: vl, output: "embedding", device })],
  ]);
  return Object.fromEntries(entries);
}

/** The stage of a model's features of all images of a source that can be read. */
export function imageFeatures(
  images: PlannedImages,
  { graph, model, output, device }: {
    readonly graph: GraphBuilder;
    readonly model: PlannedModel;
    readonly output: string;
    readonly device: PlanRequest["device"];
  },
): Stage<FeatureRows> {
  return planFeatures({
    id: `features ${model.name} ${images.name}`,
    images,
    chosen: { readable: images.readable },
    model,
    output,
  }, { graph, device, batch });
}

function only(
  rows: Readonly<Record<string, Stage<FeatureRows>>>,
  prefix: string,
): Readonly<Record<string, Stage<FeatureRows>>> {
  return Object.fromEntries(Object.entries(rows).filter(([role]) => role.startsWith(prefix)));
}

async function vlModelOf(
  { root, profile, vl = usualVlModel }: BundleRequest,
  { digests }: { readonly digests: Digests },
) {
  const known = jsonNames(join(root, "configs", "vl"));
  const own = Object.keys(profile.vlModels);
  const name = own.includes(vl) ? vl : oneOf("VL model", vl, known);
  const vlModels = own.includes(vl) ? profile.vlModels : { ...profile.vlModels, [name]: name };
  const model = await planModels({ root, profile: { ...profile, vlModels }, digests }).vl(name);
  if (model.identity !== "missing") return model;
  throw new UserError(
    `The VL model ${model.name} is not on this machine. Get it with "deno task data fetch --profile ` +
      `quick" or "--profile paper", or take one of the zoo with --vl world_clip_vit_l_14.`,
  );
}

async function methodsOf(
  { root, methods: names, positives }: BundleRequest,
): Promise<MethodConfig[]> {
  const usual = positives === undefined ? "lg_cav+ga+ce" : "lg_cav+ga+ce+dsr";
  const methods: MethodConfig[] = [];
  for (const name of new Set(names ?? [usual])) methods.push(await methodOf(name, root));
  for (const method of methods) {
    const { id, title, base } = method;
    const parts: readonly string[] = method.parts;
    const lacksLabels = base !== "lg_cav" || parts.includes("dsr");
    const isControl = base === "random_cav" || "guidance" in method;
    const looksAtOthers = base === "text_to_concept" || base === "oa_tcav" ||
      parts.includes("splice");
    if (isControl || looksAtOthers) {
      throw new UserError(
        `${title} (${id}) is no method of a bundle: ${
          isControl ? "it knows nothing of the words" : "it looks at all words at once"
        }. Take lg_cav or one with its parts, or original_cav with --positives.`,
      );
    }
    if (positives === undefined && lacksLabels) {
      throw new UserError(
        `${title} (${id}) learns from labelled images. Give a folder of them for each word with ` +
          `--positives, or take lg_cav, lg_cav+ga or lg_cav+ga+ce.`,
      );
    }
  }
  return methods;
}

async function methodOf(name: string, root: string): Promise<MethodConfig> {
  const folder = join(root, "configs", "methods");
  oneOf("method", name, jsonNames(folder));
  return await loadConfig(join(folder, `${name}.json`), methodSchema);
}

function jsonNames(folder: string): string[] {
  return readFolder(folder).flatMap(({ name }) =>
    name.endsWith(".json") ? [name.slice(0, -".json".length)] : []
  );
}
