import { allRows, type ConceptTextFeatures, type FeatureRows } from "../../activations/mod.ts";
import { averagePrompts } from "../../cav/mod.ts";
import type { RunnableCorrection } from "../../config/mod.ts";
import {
  type CorrectedLayer as Corrected,
  type CorrectionProblem,
  type CorrectionRequest,
  correctLastLayers,
  type LanguageView,
} from "../../correction/mod.ts";
import { UserError } from "../../files/mod.ts";
import { isFiniteLayer, type LastLayer } from "../../models/mod.ts";
import {
  createRandom,
  readSafetensors,
  row,
  tensor,
  writeSafetensors,
  zeros,
} from "../../tensor/mod.ts";
import { groupsOf } from "../preferred_scenes.ts";
import {
  type Codec,
  refOf,
  type StageContext,
  type StageKind,
  storedAs,
  type TypedNode,
} from "../stage.ts";
import type { Cavs } from "./cavs.ts";
import type { ClassLabels } from "./class_labels.ts";

/** A corrected last layer, with what is known of its making. */
export type CorrectedLayer = Omit<Corrected, "request">;

/** What corrections need; what one does not look at is left out. */
export interface CorrectedLayerNeeds {
  /** Of the training images. */
  readonly features0: FeatureRows;
  readonly labels: ClassLabels;
  /** The uncorrected layer. */
  readonly layer: LastLayer;
  /** The CAVs of the concepts of the classes, in their order. */
  readonly cavs?: Cavs;
  /** The CAVs of scenes, which a classifier should not use. */
  readonly artefacts?: Cavs;
  /** The VL model's features of the training images. */
  readonly vl0?: FeatureRows;
  /** Of the names of the classes. */
  readonly names?: ConceptTextFeatures;
  /** Of the concepts of a bottleneck. */
  readonly bottleneck?: ConceptTextFeatures;
  readonly scenes?: readonly string[];
}

/** What a corrected layer depends on, besides the images. */
export interface CorrectedLayerInputs {
  /** With its hyper-parameters, without its title. */
  readonly correction: RunnableCorrection;
  readonly seed: number;
  /** What computes. */
  readonly runtime: string;
}

type Node = TypedNode<CorrectedLayerInputs, null>;
type Need = Pick<StageContext<CorrectedLayerNeeds>, "need">;

const codec: Codec<CorrectedLayer> = {
  encode: ({ weight, bias, diagnostics }) =>
    writeSafetensors(
      new Map([["weight", weight], ["bias", bias]]),
      { diagnostics: JSON.stringify(diagnostics) },
      { dtype: "F32" },
    ),
  decode: (bytes) => {
    const { tensors, metadata } = readSafetensors(bytes);
    return {
      weight: tensors.get("weight")!,
      bias: tensors.get("bias")!,
      diagnostics: JSON.parse(metadata["diagnostics"]!),
    };
  },
};

/**
 * Corrected last layers, one node for each correction and seed. Nodes of one uncorrected layer and
 * the same training images share what is read of them.
 */
export const correctedLayerKind: StageKind<
  CorrectedLayerNeeds,
  CorrectedLayerInputs,
  null,
  CorrectedLayer
> = {
  name: "corrected_layer",
  version: 1,
  ...storedAs(codec),
  group: ({ needs: { features0, labels, layer } }) => JSON.stringify([features0, labels, layer]),
  run: async (nodes, context) => {
    const { signal, store, onProgress, need } = context;
    for (const together of problemsOf(nodes)) {
      const problem = await assembleProblem(together, context);
      const nodeOf = new Map<CorrectionRequest, Node>();
      for (const node of together) nodeOf.set(await requestOf(node, need), node);
      const options = { random: createRandom("correction"), signal, onProgress };
      const layers = correctLastLayers(problem, [...nodeOf.keys()], options);
      // They come as they are done.
      for await (const { request, ...layer } of layers) {
        const node = nodeOf.get(request)!;
        requireFinite(layer, node);
        await store.write(refOf(node), codec.encode(layer));
      }
    }
  },
};

/** What belongs to a problem and not to a request. */
const shared = ["vl0", "names", "bottleneck", "scenes"] as const;

interface Together {
  readonly needs: Map<string, string>;
  readonly nodes: Node[];
}

/** Nodes whose shared needs, as far as they have them, are the same. */
function problemsOf(nodes: readonly Node[]): Node[][] {
  const problems: Together[] = [];
  for (const node of nodes) {
    const own = shared.flatMap((role) => {
      const key = node.needs[role];
      return key === undefined ? [] : [[role, key] as const];
    });
    const agrees = ({ needs }: Together) =>
      own.every(([role, key]) => (needs.get(role) ?? key) === key);
    const problem = problems.find(agrees) ?? { needs: new Map<string, string>(), nodes: [] };
    if (problem.nodes.length === 0) problems.push(problem);
    own.forEach(([role, key]) => problem.needs.set(role, key));
    problem.nodes.push(node);
  }
  return problems.map(({ nodes }) => nodes);
}

async function assembleProblem(
  nodes: readonly Node[],
  { need }: Need,
): Promise<CorrectionProblem> {
  const [first] = nodes as [Node];
  const labels = await need(first, "labels");
  const partOf = async <Role extends typeof shared[number]>(role: Role) => {
    const node = nodes.find(({ needs }) => needs[role] !== undefined);
    return node && await need(node, role);
  };
  const images = await partOf("vl0");
  const view = (text: ConceptTextFeatures | undefined): LanguageView | undefined =>
    images && text && { images, texts: averagedTexts(text) };
  const scenes = await partOf("scenes");
  return {
    features: await need(first, "features0"),
    labels: Int32Array.from(labels.labels),
    lastLayer: await need(first, "layer"),
    zeroShot: view(await partOf("names")),
    concepts: view(await partOf("bottleneck")),
    groups: scenes && groupsOf(labels, scenes),
  };
}

/** The average of each text's prompts, normalised first, as CLIP's own ensembles are. */
function averagedTexts({ ensemble }: ConceptTextFeatures) {
  const [texts = 0, prompts = 0, width = 0] = ensemble.shape;
  const averages = zeros([texts, width]);
  for (let text = 0; text < texts; text++) {
    const ofText = tensor([prompts, width], row(ensemble, text));
    row(averages, text).set(averagePrompts(ofText, { normalise: true }));
  }
  return averages;
}

async function requestOf(node: Node, need: Need["need"]): Promise<CorrectionRequest> {
  const { inputs: { correction, seed }, needs } = node;
  const vectors = async (role: "cavs" | "artefacts") =>
    needs[role] === undefined ? undefined : await allRows((await need(node, role))!.vectors);
  return {
    correction,
    seed,
    cavs: await vectors("cavs"),
    artefacts: await vectors("artefacts"),
  };
}

function requireFinite(layer: LastLayer, { id }: Node): void {
  if (isFiniteLayer(layer)) return;
  throw new UserError(
    `"${id}" diverged: its layer is not finite. Lower the learning rate of the correction.`,
  );
}
