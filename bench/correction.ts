/**
 * Times corrections of a last layer on random features, and measures their memory.
 *
 *     deno run -A bench/correction.ts [--images 6000] [--dim 512] [--classes 40] [--width 512]
 *         [--concepts 49] [--seeds 4] [--epochs 20] [--corrections uniform_retraining,lg_cav_asr]
 *
 * Features are made when they are asked for, as if read from a store; the time that takes is told
 * apart. For ImageNet's 1.28 million images, time an epoch of fewer and multiply:
 *
 *     deno run -A bench/correction.ts --images 200000 --dim 2048 --classes 1000 --width 768 \
 *         --seeds 1 --epochs 1 --corrections uniform_retraining,knowledge_distillation
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { correctionSchema, loadConfig, plain, type RunnableCorrection } from "../lib/config/mod.ts";
import { type CorrectionProblem, correctLastLayers } from "../lib/correction/mod.ts";
import { createRandom, zeros } from "../lib/tensor/mod.ts";
import { fill, generated, generatedRows, memoryOf } from "./_measured.ts";

const { values } = parseArgs({
  options: {
    images: { type: "string", default: "6000" },
    dim: { type: "string", default: "512" },
    classes: { type: "string", default: "40" },
    width: { type: "string", default: "512" },
    concepts: { type: "string", default: "49" },
    seeds: { type: "string", default: "4" },
    epochs: { type: "string" },
    corrections: {
      type: "string",
      default: [
        "original",
        "uniform_retraining",
        "lg_cav_asr",
        "knowledge_distillation",
        "concept_distillation",
        "group_balanced_retraining",
        "cav_gradient_penalty",
        "cav_projection",
      ].join(","),
    },
  },
});
const [images, dim, classes, width, concepts, seeds] = [
  values.images,
  values.dim,
  values.classes,
  values.width,
  values.concepts,
  values.seeds,
].map(Number) as [number, number, number, number, number, number];

const random = createRandom("bench");
const corrections = await Promise.all(values.corrections.split(",").map(readCorrection));
const problem = randomProblem();
const requests = Array.from({ length: seeds }, (_, seed) => {
  const cavs = fill([classes, dim], random.normal);
  const artefacts = fill([8, dim], random.normal);
  return corrections.map((correction) => ({ correction, seed, cavs, artefacts }));
}).flat();

const started = performance.now();
const before = process.cpuUsage();
for await (const { request, diagnostics } of correctLastLayers(problem, requests, { random })) {
  if (request.seed === 0) console.log(request.correction.id, JSON.stringify(diagnostics));
}
const wall = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(before);
console.log(
  `${requests.length} layers in ${wall.toFixed(1)} s, ${
    ((user + system) / 1e6).toFixed(1)
  } s of the ` +
    `processor, ${(wall / requests.length).toFixed(2)} s each; of it ` +
    `${generated.seconds.toFixed(1)} s to generate ${generated.rows} rows; peak memory ` +
    `${(await memoryOf("VmHWM") / 2 ** 30).toFixed(2)} GiB`,
);

async function readCorrection(id: string): Promise<RunnableCorrection> {
  const config = plain(await loadConfig(`configs/corrections/${id}.json`, correctionSchema));
  if (config.base === "quoted") throw new RangeError(`${id} is quoted, not run.`);
  const { hyperparameters } = config;
  if (values.epochs === undefined || !("epochs" in hyperparameters)) return config;
  const epochs = Number(values.epochs);
  return { ...config, hyperparameters: { ...hyperparameters, epochs } } as RunnableCorrection;
}

function randomProblem(): CorrectionProblem {
  const labels = Int32Array.from({ length: images }, (_, i) => Math.floor(i * classes / images));
  const views = generatedRows(images, { width, labels });
  return {
    features: generatedRows(images, { width: dim, labels }),
    labels,
    lastLayer: {
      weight: fill([classes, dim], () => random.normal() / Math.sqrt(dim)),
      bias: zeros([classes]),
    },
    groups: labels.map((label, image) => 2 * label + (image % 5 === 0 ? 1 : 0)),
    zeroShot: { images: views, texts: fill([classes, width], random.normal) },
    concepts: { images: views, texts: fill([concepts, width], random.normal) },
  };
}
