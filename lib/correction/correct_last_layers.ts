import type { FeatureRows } from "../activations/mod.ts";
import type { Random } from "../tensor/mod.ts";
import { asr, cosinesWithOwnCav } from "./asr.ts";
import { cavGradientPenalty } from "./cav_gradient_penalty.ts";
import { meanFeatures, projectOut } from "./cav_projection.ts";
import { checkProblem, type Parts, partsOf } from "./_check_problem.ts";
import { conceptDistillation } from "./concept_distillation.ts";
import type {
  CorrectedLayer,
  CorrectionOptions,
  CorrectionProblem,
  CorrectionRequest,
} from "./correction_problem.ts";
import { descend } from "./_descend.ts";
import { groupBalancedRetraining } from "./group_balanced_retraining.ts";
import { knowledgeDistillation } from "./knowledge_distillation.ts";
import { labelFreeCbm } from "./label_free_cbm.ts";
import type { Objective } from "./_objective.ts";
import { checkedRows, openWindow } from "./_rows.ts";
import { openSessions, type Sessions } from "./_sessions.ts";
import { uniformRetraining } from "./uniform_retraining.ts";

/**
 * Corrects a last layer in several ways and with several seeds. Layers come as they are made. The
 * bytes of one depend on its problem and request alone, not on what else is asked for, nor on how the
 * features are stored.
 *
 * Requests of one seed that agree in epochs and batch size see the same minibatches and share what is
 * read of the features. Half a gigabyte of features is in memory at a time; fewer are read once for
 * all. Everything runs on one thread; use several processes for several
 * cores.
 *
 * @throws {UserError} when the problem or a request makes no sense, when a number of the features is
 * not finite, or when training diverges.
 */
export async function* correctLastLayers(
  problem: CorrectionProblem,
  requests: readonly CorrectionRequest[],
  { random, device = "cpu", signal, onProgress = () => {} }: CorrectionOptions,
): AsyncGenerator<CorrectedLayer> {
  checkProblem(problem);
  const jobs = requests.map((request) => ({ request, parts: partsOf(request, problem) }));
  const total = requests.reduce((sum, request) => sum + passesOf(request), 0);
  let done = 0;
  const context: Context = {
    problem,
    features: checkedRows(problem.features, { what: "features" }),
    random,
    sessions: openSessions({ device }),
    signal,
    onPass: () => onProgress(++done, total),
  };
  try {
    const objectives = await objectivesOf(jobs, context);
    for (const job of jobs) if (!objectives.has(job)) yield await replace(job, context);
    yield* retrain(objectives, context);
  } finally {
    await context.sessions.close();
  }
}

interface Job {
  readonly request: CorrectionRequest;
  readonly parts: Parts;
}

interface Context {
  readonly problem: CorrectionProblem;
  readonly features: FeatureRows;
  readonly random: Random;
  readonly sessions: Sessions;
  readonly signal: AbortSignal | undefined;
  readonly onPass: () => void;
}

/** Passes over the images that are counted as progress: epochs, and one before and after. */
function passesOf({ correction: { hyperparameters } }: CorrectionRequest): number {
  return "start" in hyperparameters ? hyperparameters.epochs + 2 : 1;
}

/** What the methods that retrain the layer minimise. */
async function objectivesOf(
  jobs: readonly Job[],
  { problem: { labels }, features, signal }: Context,
): Promise<Map<Job, Objective>> {
  // One pass over the features serves all CAVs.
  const reweighted = jobs.filter(({ request }) => request.correction.base === "asr");
  const cavs = [...new Set(reweighted.map(({ parts }) => parts.cavs))];
  const cosines = cavs.length === 0 ? [] : await cosinesWithOwnCav(features, {
    labels,
    cavs,
    signal,
  });
  const objectiveOf = ({ request: { correction }, parts }: Job): Objective | undefined => {
    switch (correction.base) {
      case "uniform_retraining":
        return uniformRetraining(correction);
      case "asr": {
        const classCosines = cosines[cavs.indexOf(parts.cavs)]!;
        return asr(correction, { labels, cavs: parts.cavs, classCosines });
      }
      case "knowledge_distillation":
        return knowledgeDistillation(correction, parts.zeroShot);
      case "concept_distillation":
        return conceptDistillation(correction, parts.cavs);
      case "group_balanced_retraining":
        return groupBalancedRetraining(correction, { groups: parts.groups, labels });
      case "cav_gradient_penalty":
        return cavGradientPenalty(correction, parts.artefacts);
      default:
        return undefined;
    }
  };
  return new Map(jobs.flatMap((job) => {
    const objective = objectiveOf(job);
    return objective ? [[job, objective] as const] : [];
  }));
}

/** The layers of the methods that retrain it, those that see the same minibatches together. */
async function* retrain(
  objectives: ReadonlyMap<Job, Objective>,
  { problem, features, random, ...context }: Context,
): AsyncGenerator<CorrectedLayer> {
  const windows = {
    features: openWindow(features),
    views: problem.zeroShot &&
      openWindow(
        checkedRows(problem.zeroShot.images, { what: "VL features", normalise: true }),
      ),
  };
  const together = Map.groupBy(objectives, ([{ request: { seed } }, { settings }]) => {
    const { epochs, batchSize } = settings;
    return JSON.stringify([seed, epochs, batchSize]);
  });
  for (const group of together.values()) {
    const tasks = group.map(([{ request }, objective]) => ({
      name: request.correction.id,
      objective,
    }));
    const layers = await descend(tasks, {
      ...context,
      data: problem,
      features: windows.features,
      views: tasks.some(({ objective }) => objective.teacher) ? windows.views : undefined,
      random: random.split("order").split(group[0]![0].request.seed),
    });
    for (const [i, { weight, bias, lossBefore, lossAfter }] of layers.entries()) {
      const [{ request }, { diagnostics }] = group[i]!;
      const losses = { trainingLossBefore: lossBefore, trainingLossAfter: lossAfter };
      yield { request, weight, bias, diagnostics: { ...diagnostics, ...losses } };
    }
  }
}

/** The layer of a method that does not retrain the uncorrected one. */
async function replace(
  { request, parts }: Job,
  { problem, features, random, onPass, ...context }: Context,
): Promise<CorrectedLayer> {
  const { correction, seed } = request;
  const { labels, lastLayer } = problem;
  const make = async (): Promise<Omit<CorrectedLayer, "request">> => {
    switch (correction.base) {
      case "cav_projection": {
        const mean = await meanFeatures(features, context);
        const { dimensions, ...layer } = projectOut(lastLayer, { ...parts, mean });
        return { ...layer, diagnostics: { artefacts: dimensions } };
      }
      case "label_free_cbm":
        return await labelFreeCbm(correction, {
          features,
          labels,
          classes: lastLayer.bias.data.length,
          concepts: parts.concepts,
          random: random.split("label_free_cbm").split(seed),
          ...context,
        });
      default:
        return { ...lastLayer, diagnostics: {} };
    }
  };
  const layer = await make();
  onPass();
  return { request, ...layer };
}
