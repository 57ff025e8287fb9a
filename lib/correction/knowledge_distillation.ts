import type { Correction } from "../config/mod.ts";
import type { LanguageView } from "./correction_problem.ts";
import type { Objective } from "./_objective.ts";

/**
 * Knowledge distillation (arXiv 1503.02531) with the VL model as the teacher: its zero-shot class
 * probabilities p = softmax(logitScale cosine(text, image) / T) are soft targets of the last layer,
 * whose logits z answer with softmax(z / T). The loss of an image is
 *
 *     (1 - teacherShare) CE(label, softmax(z)) + teacherShare T^2 CE(p, softmax(z / T)).
 */
export function knowledgeDistillation(
  { hyperparameters }: Correction<"knowledge_distillation">,
  view: LanguageView,
): Objective {
  const { logitScale, temperature, teacherShare } = hyperparameters;
  return {
    teacher: { view, logitScale, temperature, share: teacherShare },
    settings: hyperparameters,
    diagnostics: { effectiveSampleSize: 1 },
  };
}
