import type { Method } from "../config/mod.ts";
import { row, type Tensor, zeros } from "../tensor/mod.ts";
import { carryTexts } from "./_carry_texts.ts";
import { unlabelledImages } from "./_unlabelled_images.ts";
import { midpoint, requireShots } from "./_shots.ts";
import {
  type CavProblem,
  methodByMethod,
  type PrepareTrainer,
  type TrainingContext,
} from "./concept_problem.ts";

type TextToConcept = Method<"text_to_concept">;

/**
 * Text-to-Concept (arXiv 2305.06386). One affine map W f(x) + b carries target features to VL image
 * features; it is fitted on unlabelled images, here all probes of the problem's concepts. In the VL
 * space an image has the concept as far as it points along the text feature t, and
 * t . (W f(x) + b) = (W' t) . f(x) + t . b: so v = W' t is the direction of the target's own space
 * that gives the same ranking, and t . b only shifts the threshold.
 *
 * The VL features have unit length first, as their cosines are what text is compared with. All
 * seeds share the vector; they differ in the labelled images that set the threshold.
 */
export const textToConcept: PrepareTrainer<TextToConcept> = (problem, context) => {
  const carried = new Map<TextToConcept, Promise<Tensor>>();
  return methodByMethod(async (tasks, method) => {
    const shots = tasks.map(requireShots);
    const all = carried.get(method) ?? carryConcepts(problem, { method, ...context });
    carried.set(method, all);
    const vectorsOfAll = await all;
    return tasks.map(({ concept, seeds }, i) => {
      const vector = row(vectorsOfAll, problem.concepts.indexOf(concept));
      const vectors = zeros([seeds.length, vector.length]);
      const thresholds = seeds.map((_, seed) => {
        row(vectors, seed).set(vector);
        return midpoint(vector, { shots: shots[i]!, seed });
      });
      return { vectors, thresholds };
    });
  });
};

function carryConcepts(
  problem: CavProblem,
  { method: { hyperparameters: { images, ridge, text } }, engine, random }: TrainingContext & {
    readonly method: TextToConcept;
  },
): Promise<Tensor> {
  const unlabelled = unlabelledImages(problem);
  const drawn = random.split("text_to_concept").shuffle(unlabelled).slice(0, images);
  const texts = problem.concepts.map((concept) => concept.text[text]);
  return carryTexts(texts, { ...problem, rows: drawn.sort((a, b) => a - b), ridge, engine });
}
