import type { ReadBundle } from "../cav/mod.ts";
import { requireSameModel } from "../cav/mod.ts";
import { oneOf } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import type { Digests, Store } from "../store/mod.ts";
import { createGraph, type Graph, loadValue } from "./graph.ts";
import { describeEngine, loadProfile } from "./plan.ts";
import { imageFeatures } from "./plan_bundle.ts";
import { folderImages, type PlannedImages } from "./plan_images.ts";
import { choicesOfBundle, planOwnModel } from "./plan_own_model.ts";
import type { PlannedEngine, PlanRequest } from "./plan_request.ts";
import type { Stage } from "./stage.ts";
import { openImages, type Scores, scoresKind } from "./stages/mod.ts";

/** Which images to score, and by what. */
export interface ScoresRequest {
  readonly root: string;
  /** Where the bundle lies, and what was read of it. */
  readonly folder: string;
  readonly bundle: ReadBundle;
  /** The ONNX file of the model; that of a backbone by name is known. */
  readonly model?: string | undefined;
  /** A folder of images. */
  readonly images: string;
  /** The id of one of the bundle's methods; the first when left out. */
  readonly method?: string | undefined;
  readonly device: PlanRequest["device"];
}

/** The stages of scores. */
export interface PlannedScores {
  readonly graph: Graph;
  readonly engine: PlannedEngine;
  readonly scores: Stage<Scores>;
  readonly images: PlannedImages;
}

/**
 * Lays out the scores of a folder of images.
 *
 * @throws {UserError} when the model is not there, or is not the one that the bundle was made for.
 */
export async function planScores(
  { root, folder, bundle, model: named, images: photos, method, device }: ScoresRequest,
  { digests }: { readonly digests: Digests },
): Promise<PlannedScores> {
  const { config, sha256 } = bundle;
  const { name, profile: profileName, sha256: hash } = config.model;
  if (named === undefined && profileName === undefined) {
    throw new UserError(
      `The bundle was made for the ONNX file ${name} with SHA-256 ${hash}. Name it with --model.`,
    );
  }
  const ids = config.methods.map(({ id }) => id);
  const chosen = method === undefined ? 0 : ids.indexOf(oneOf("method of the bundle", method, ids));
  const graph = createGraph();
  const profile = await loadProfile(root, profileName ?? "world");
  const model = await planOwnModel({
    root,
    model: named ?? name,
    profile,
    ...choicesOfBundle(config),
  }, { digests });
  requireSameModel(config, model.described);
  const images = await folderImages(photos, { graph, root, digests, policy: "skip" });
  const features0 = imageFeatures(images, { graph, model, output: model.output, device });
  const scores = graph.stage(scoresKind, {
    id: `scores of ${images.count} images`,
    inputs: { bundle: sha256, method: chosen, runtime: runtimeVersion },
    needs: { features0 },
    how: { folder },
    work: `${config.concepts.length} concepts`,
  });
  await digests.save();
  const engine = await describeEngine({ engine: "ort", device });
  return { graph: graph.nodes, engine, scores, images };
}

/** The names of the images that were scored, in the order of the rows. */
export async function imageNames(
  { of, files, readable }: PlannedImages,
  store: Store,
): Promise<string[]> {
  const { ids } = await openImages(of, await loadValue(files, store));
  return (await loadValue(readable, store)).indices.map((index) => ids[index]!);
}
