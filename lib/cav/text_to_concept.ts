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
 * Text-to-Concept (arXiv 2305.06386): a linear map between the features of both models, fitted on
 * unlabelled images, carries each text feature t into the target's space ({@linkcode carryTexts}
 * defines both readings of it). The images are drawn by the seed of the probes of all concepts; as
 * all share the map, none of the images judges any of them. The vector has no bias: the labelled
 * images set the threshold.
 */
export const textToConcept: PrepareTrainer<TextToConcept> = (problem, context) => {
  const carried = new Map<TextToConcept, Map<number, Promise<Tensor>>>();
  const carriedBy = (method: TextToConcept, seed: number) => {
    const ofMethod = carried.get(method) ?? new Map<number, Promise<Tensor>>();
    carried.set(method, ofMethod);
    const ofSeed = ofMethod.get(seed) ?? carryConcepts(problem, { method, seed, ...context });
    ofMethod.set(seed, ofSeed);
    return ofSeed;
  };
  return methodByMethod(async (tasks, method) => {
    const { seeds } = tasks[0]!;
    const shots = tasks.map(requireShots);
    const ofSeeds = await Promise.all(seeds.map((seed) => carriedBy(method, seed)));
    return tasks.map(({ concept }, i) => {
      const at = problem.concepts.indexOf(concept);
      const vectors = zeros([seeds.length, problem.features.shape[1]]);
      const thresholds = ofSeeds.map((vectorsOfAll, seed) => {
        row(vectors, seed).set(row(vectorsOfAll, at));
        return midpoint(row(vectors, seed), { shots: shots[i]!, seed });
      });
      return { vectors, thresholds };
    });
  });
};

async function carryConcepts(
  problem: CavProblem,
  { method: { hyperparameters }, seed, engine, random }: TrainingContext & {
    readonly method: TextToConcept;
    readonly seed: number;
  },
): Promise<Tensor> {
  const { images, map, ridge, text, unlabelled } = hyperparameters;
  const { concepts } = problem;
  const pool = unlabelledImages(problem, unlabelled === "may judge" ? [] : concepts);
  if (pool.length < 2) {
    throw new RangeError(
      `Fitting the map of Text-to-Concept takes unlabelled images, and all ${concepts.length} ` +
        `concepts' probes judge one of them. Add images of another dataset to the probe pool, or ` +
        `leave the method out.`,
    );
  }
  const drawn = random.split("text_to_concept").split(seed).shuffle(pool).slice(0, images);
  const rows = drawn.sort((a, b) => a - b);
  const texts = concepts.map((concept) => concept.text[text]);
  return await carryTexts(texts, { ...problem, rows, map, ridge, engine });
}
