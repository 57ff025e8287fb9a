import assert from "node:assert/strict";
import { featureRows } from "../../lib/activations/mod.ts";
import {
  type CorrectionProblem,
  type CorrectionRequest,
  correctLastLayers,
} from "../../lib/correction/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { createRandom, takeRows, type Tensor, tensor, zeros } from "../../lib/tensor/mod.ts";
import { readReference } from "./_reference.ts";

const { problem, cavs, artefacts, ...reference } = await readReference();
const images = problem.labels.length;
const rows = await problem.features.take([...problem.labels.keys()]);
const views = await problem.zeroShot!.images.take([...problem.labels.keys()]);

/** A correction of the reference by its base. */
function by(base: string): CorrectionRequest["correction"] {
  return reference.retrained.find(({ correction }) => correction.base === base)!.correction;
}

const cbm = {
  id: "label_free_cbm",
  title: "",
  base: "label_free_cbm",
  hyperparameters: reference.bottlenecks[0]!.hyperparameters,
} as const;

const projection = {
  id: "cav_projection",
  title: "",
  base: "cav_projection",
  cavMethod: "lg_cav",
  hyperparameters: {},
} as const;

/** A copy with one number replaced. */
function spoiled({ shape, data }: Tensor, index: number, value = NaN): Tensor {
  return tensor(shape, data.map((old, i) => i === index ? value : old));
}

function replaced(values: Int32Array, index: number, value: number): Int32Array {
  return values.map((old, i) => i === index ? value : old);
}

interface Mistake {
  readonly what: string;
  readonly base: string | CorrectionRequest["correction"];
  readonly problem?: Partial<CorrectionProblem>;
  readonly request?: Partial<CorrectionRequest>;
  readonly says: RegExp;
}

const { weight, bias } = problem.lastLayer;
const [classes = 0, dim = 0] = weight.shape;
const control = by("uniform_retraining");
const settings = control.hyperparameters;

const mistakes: Mistake[] = [
  {
    what: "NaN features",
    base: control.id,
    problem: { features: featureRows(spoiled(rows, 140 * dim + 3)) },
    says: /number 3 of the features of image 140 is NaN; compute them again/,
  },
  {
    what: "infinite features of the VL model",
    base: "knowledge_distillation",
    problem: {
      zeroShot: { ...problem.zeroShot!, images: featureRows(spoiled(views, 7, Infinity)) },
    },
    says: /number 1 of the VL features of image 1 is Infinity/,
  },
  {
    what: "a class without images",
    base: control.id,
    problem: { labels: problem.labels.map((label) => label === 2 ? 1 : label) },
    says: /class 2 of 5, counted from 0, has no training image; add some/,
  },
  {
    what: "weights for fewer classes",
    base: control.id,
    problem: {
      lastLayer: {
        weight: takeRows(weight, [0, 1, 2, 3]),
        bias: tensor([4], bias.data.slice(0, 4)),
      },
    },
    says: /is of class 4, and the last layer has classes 0 to 3; take weights for the classes/,
  },
  {
    what: "a negative label",
    base: control.id,
    problem: { labels: replaced(problem.labels, 9, -1) },
    says: /image 9 is of class -1/,
  },
  {
    what: "weights of another width",
    base: control.id,
    problem: { lastLayer: { weight: zeros([classes, dim + 1]), bias } },
    says: /there are 8 weights of a class and 7 numbers in an image's features/,
  },
  {
    what: "biases of other classes",
    base: control.id,
    problem: { lastLayer: { weight, bias: zeros([classes + 1]) } },
    says: /there are 6 biases of the last layer and 5 classes in its weight/,
  },
  {
    what: "a weight that is not finite",
    base: control.id,
    problem: { lastLayer: { weight: spoiled(weight, 4), bias } },
    says: /number 4 of the last layer's weight is NaN/,
  },
  {
    what: "labels of other images",
    base: control.id,
    problem: { labels: problem.labels.slice(1) },
    says: /there are 149 labels and 150 images with features/,
  },
  {
    what: "no CAVs",
    base: "asr",
    request: { cavs: undefined },
    says: /"asr" takes CAVs of the classes' concepts, and there are none; give them/,
  },
  {
    what: "CAVs of other classes",
    base: "concept_distillation",
    request: { cavs: zeros([classes - 1, dim]) },
    says: /there are 4 CAVs and 5 classes/,
  },
  {
    what: "a CAV that is not finite",
    base: "asr",
    request: { cavs: spoiled(cavs, 0) },
    says: /number 0 of the CAVs is NaN/,
  },
  {
    what: "artefacts without direction",
    base: "cav_gradient_penalty",
    request: { artefacts: zeros([2, dim]) },
    says: /all CAVs of artefacts are zero/,
  },
  {
    what: "artefacts that leave nothing",
    base: projection,
    request: { artefacts: tensor([dim, dim], Float32Array.from(identity(dim))) },
    says: /span all 7 dimensions, so nothing would be left; name fewer artefacts/,
  },
  {
    what: "a group without images",
    base: "group_balanced_retraining",
    problem: { groups: problem.groups!.map((group) => group === 1 ? 0 : group) },
    says: /group 1, counted from 0, has no image; number those that have some/,
  },
  {
    what: "groups of other images",
    base: "group_balanced_retraining",
    problem: { groups: problem.groups!.slice(0, -1) },
    says: /there are 149 groups of images and 150 images/,
  },
  {
    what: "a negative group",
    base: "group_balanced_retraining",
    problem: { groups: replaced(problem.groups!, 5, -2) },
    says: /image 5 is of group -2; number groups from 0 on/,
  },
  {
    what: "texts of other classes",
    base: "knowledge_distillation",
    problem: { zeroShot: { ...problem.zeroShot!, texts: zeros([classes + 1, 6]) } },
    says: /there are 6 texts of classes and 5 classes/,
  },
  {
    what: "no VL model",
    base: cbm,
    problem: { concepts: undefined },
    says: /"label_free_cbm" takes a VL model's features .*, and there are none/,
  },
  {
    what: "concepts that the features do not give",
    base: { ...cbm, hyperparameters: { ...cbm.hyperparameters, similarityCutoff: 0.99 } },
    says: /none of 5 concepts is above the similarityCutoff of 0.99; lower it/,
  },
  {
    what: "features that say nothing",
    base: cbm,
    problem: { features: featureRows(zeros([images, dim])) },
    says: /Training a concept layer diverged by step 1: a similarity is not finite/,
  },
  {
    what: "a learning rate that diverges",
    base: {
      ...control,
      hyperparameters: { ...settings, learningRate: 1e3, weightDecay: 1e3 },
    } as CorrectionRequest["correction"],
    says: /Retraining a last layer by "uniform_retraining" diverged in epoch \d of 3: .* now 1000/,
  },
  {
    what: "features that float32 cannot multiply",
    base: control.id,
    problem: {
      features: featureRows(tensor(rows.shape, rows.data.map((value) => value * 1e37))),
      lastLayer: { weight: tensor(weight.shape, weight.data.map((value) => value * 1e3)), bias },
    },
    says: /diverged at its start: its numbers are not finite/,
  },
];

for (const { what, base, says, ...changes } of mistakes) {
  Deno.test(`correctLastLayers() refuses ${what} in one sentence`, async () => {
    const correction = typeof base === "string" ? by(base) : base;
    const request = { correction, seed: 3, cavs, artefacts, ...changes.request };
    const options = { random: createRandom(1) };
    const made = Array.fromAsync(
      correctLastLayers({ ...problem, ...changes.problem }, [request], options),
    );
    const error = await made.then(() => undefined, (error) => error);
    assert.ok(error instanceof UserError, `${error}`);
    assert.match(error.message, says);
    assert.match(error.message, /^[^\n]+\.$/);
  });
}

function* identity(size: number): Generator<number> {
  for (let i = 0; i < size * size; i++) yield i % (size + 1) === 0 ? 1 : 0;
}
