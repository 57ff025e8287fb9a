import { UserError } from "../files/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { CorrectionProblem, CorrectionRequest, LanguageView } from "./correction_problem.ts";
import { rowsWithLength } from "./_descend.ts";
import { groupSizes } from "./group_balanced_retraining.ts";

/**
 * Refuses what no method could make sense of.
 *
 * @throws {UserError}
 */
export function checkProblem({ features, labels, lastLayer }: CorrectionProblem): void {
  const [images, dim] = features.shape;
  const [classes = 0, width = 0] = lastLayer.weight.shape;
  requireEqual(labels.length, images, { counted: "labels", as: "images with features" });
  requireEqual(lastLayer.bias.data.length, classes, {
    counted: "biases of the last layer",
    as: "classes in its weight",
  });
  requireEqual(width, dim, { counted: "weights of a class", as: "numbers in an image's features" });
  requireFinite(lastLayer.weight, "the last layer's weight");
  requireFinite(lastLayer.bias, "the last layer's bias");
  const counts = new Float64Array(classes);
  for (const [image, label] of labels.entries()) {
    if (label < 0 || label >= classes) {
      throw mistake(
        `image ${image} is of class ${label}, and the last layer has classes 0 to ${
          classes - 1
        }; ` +
          `take weights for the classes of the dataset`,
      );
    }
    counts[label]!++;
  }
  const empty = counts.indexOf(0);
  if (empty >= 0) {
    throw mistake(
      `class ${empty} of ${classes}, counted from 0, has no training image; add some, or leave the ` +
        `class out of the last layer`,
    );
  }
}

/** What methods need beside features and labels; a method looks at its own parts only. */
export interface Parts {
  readonly cavs: Tensor;
  readonly artefacts: Tensor;
  readonly groups: Int32Array;
  readonly zeroShot: LanguageView;
  readonly concepts: LanguageView;
}

const partNames: Readonly<
  Record<CorrectionRequest["correction"]["base"], readonly (keyof Parts)[]>
> = {
  original: [],
  uniform_retraining: [],
  asr: ["cavs"],
  knowledge_distillation: ["zeroShot"],
  concept_distillation: ["cavs"],
  group_balanced_retraining: ["groups"],
  cav_projection: ["artefacts"],
  cav_gradient_penalty: ["artefacts"],
  label_free_cbm: ["concepts"],
};

/**
 * The parts that a request's method looks at.
 *
 * @throws {UserError} when one is missing or does not fit.
 */
export function partsOf(
  request: CorrectionRequest,
  problem: CorrectionProblem,
): Parts {
  const { correction: { id, base }, cavs, artefacts } = request;
  const [classes = 0, dim = 0] = problem.lastLayer.weight.shape;
  const given = { ...problem, cavs, artefacts };
  const sizes = { classes, dim, images: problem.labels.length };
  for (const name of partNames[base]) {
    if (given[name] === undefined) {
      throw mistake(`"${id}" takes ${named[name]}, and there are none; give them, or leave it out`);
    }
    const check: (part: never, sizes: Sizes) => void = checks[name];
    check(given[name] as never, sizes);
  }
  return given as Parts;
}

const named: Readonly<Record<keyof Parts, string>> = {
  cavs: "CAVs of the classes' concepts",
  artefacts: "CAVs of artefacts",
  groups: "groups of images",
  zeroShot: "a VL model's features of images and of a text for each class",
  concepts: "a VL model's features of images and of concepts' texts",
};

interface Sizes {
  readonly classes: number;
  readonly dim: number;
  readonly images: number;
}

const checks: { readonly [Name in keyof Parts]: (part: Parts[Name], sizes: Sizes) => void } = {
  cavs(cavs, { classes, dim }) {
    requireEqual(cavs.shape[0]!, classes, { counted: "CAVs", as: "classes" });
    checkDirections(cavs, dim);
  },
  artefacts(artefacts, { dim }) {
    checkDirections(artefacts, dim);
    if (rowsWithLength(artefacts) > 0) return;
    throw mistake("all CAVs of artefacts are zero; give some that have a direction");
  },
  groups(groups, { images }) {
    requireEqual(groups.length, images, { counted: "groups of images", as: "images" });
    const image = groups.findIndex((group) => group < 0);
    if (image >= 0) {
      throw mistake(`image ${image} is of group ${groups[image]}; number groups from 0 on`);
    }
    const empty = groupSizes(groups).indexOf(0);
    if (empty < 0) return;
    throw mistake(`group ${empty}, counted from 0, has no image; number those that have some`);
  },
  zeroShot({ images: { shape }, texts }, { images, classes }) {
    requireEqual(texts.shape[0]!, classes, { counted: "texts of classes", as: "classes" });
    checkView({ shape, texts }, images);
  },
  concepts({ images: { shape }, texts }, { images }) {
    checkView({ shape, texts }, images);
  },
};

function checkDirections(cavs: Tensor, dim: number): void {
  requireEqual(cavs.shape[1]!, dim, { counted: "numbers in a CAV", as: "in an image's features" });
  requireFinite(cavs, "the CAVs");
}

function checkView(
  { shape, texts }: { readonly shape: readonly [number, number]; readonly texts: Tensor },
  images: number,
): void {
  requireEqual(shape[0], images, { counted: "images of the VL model", as: "images" });
  requireEqual(texts.shape[1]!, shape[1], {
    counted: "numbers in a text feature",
    as: "in a VL image feature",
  });
  requireFinite(texts, "the text features");
}

function requireEqual(
  count: number,
  expected: number,
  { counted, as }: { readonly counted: string; readonly as: string },
): void {
  if (count === expected) return;
  throw mistake(`there are ${count} ${counted} and ${expected} ${as}; both must be as many`);
}

function requireFinite({ data }: Tensor, what: string): void {
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw mistake(`number ${at} of ${what} is ${data[at]}; compute them again`);
}

function mistake(problem: string): UserError {
  return new UserError(`Correcting a last layer: ${problem}.`);
}
