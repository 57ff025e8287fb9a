/**
 * Times CAV training at the paper's scale on random features, beside the time that its products take
 * at the rate at which the same machine multiplies matrices in the same minute, and beside PyTorch.
 *
 *     deno run -A bench/cav_training.ts [--concepts 468] [--dim 2048] [--pool 60000]
 *         [--probes 1000] [--seeds 4] [--sample 24] [--repeats 5] [--engine ort|tfjs]
 *         [--methods original_cav,lg_cav] [--peer python3] [--peer-concepts 2] [--generate]
 *         [--each]
 *
 * All concepts are trained once, or with --sample so many of them, repeatedly: Text-to-Concept, whose
 * map is one for all concepts, is then timed over all of them, and counts by its share.
 * With --each, the sample is trained by one method at a time, in turns, and each is told beside the
 * first; what methods share of a concept, each has to itself then.
 * With --generate, features are made when they are asked for, as if read from a store: whole feature
 * maps do not fit in memory (`--dim 50176` is a map of ResNet-18). The time that takes is told apart.
 *
 * All use one thread, and times are of the processor. The peers train fewer concepts: `batched` and
 * `one by one` do the same updates by autograd but for Text-to-Concept and the choice of weights; the
 * closed form is FastCAV's difference of means, which has no updates and no use for language.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { featureRows } from "../lib/activations/mod.ts";
import { allRequests, type CavProblem, openEngine, trainBlocks } from "../lib/cav/mod.ts";
import { loadConfig, type Method, methodSchema, plain } from "../lib/config/mod.ts";
import { createRandom, type Random } from "../lib/tensor/mod.ts";
import { fill, generated, generatedRows, memoryOf } from "./_measured.ts";
import { fewestOperations, operationsAsStated, type Scale } from "./cav_operations.ts";

const methodIds = [
  "original_cav",
  "text_to_concept",
  "oa_tcav",
  "lg_cav",
  "lg_cav+ga",
  "lg_cav+ga+ce",
  "lg_cav+ga+ce+dsr",
];
const peers = ["batched", "one by one", "closed form"];

const { values } = parseArgs({
  options: {
    concepts: { type: "string", default: "468" },
    dim: { type: "string", default: "2048" },
    pool: { type: "string", default: "60000" },
    probes: { type: "string", default: "1000" },
    seeds: { type: "string", default: "4" },
    sample: { type: "string" },
    repeats: { type: "string", default: "5" },
    engine: { type: "string", default: "ort" },
    methods: { type: "string", default: methodIds.join(",") },
    generate: { type: "boolean", default: false },
    each: { type: "boolean", default: false },
    peer: { type: "string" },
    "peer-concepts": { type: "string", default: "2" },
  },
});
const methods = await Promise.all(values.methods.split(",").map(readMethod));
const scale: Scale = {
  concepts: Number(values.concepts),
  dim: Number(values.dim),
  probes: Number(values.probes),
  seeds: Number(values.seeds),
  shots: 10,
  textDim: 512,
  methods,
};
const pool = Number(values.pool);
const problem = randomProblem(scale, createRandom("bench"));
const engine = await openEngine(values.engine === "tfjs" ? "tfjs" : "ort", { device: "cpu" });

if (values.each) {
  await reportEach(Number(values.sample ?? 24));
} else if (values.sample === undefined) {
  const started = performance.now();
  const seconds = await timed(() => train(problem, methods));
  const wall = (performance.now() - started) / 1000;
  console.log(`${scale.concepts} concepts in ${wall.toFixed(1)} s, of which the processor worked`);
  report("this code", 1000 * seconds / scale.concepts, await productRate());
} else {
  const sample = { ...problem, concepts: problem.concepts.slice(0, Number(values.sample)) };
  const ofMap = methods.filter(({ base }) => base === "text_to_concept");
  const others = methods.filter(({ base }) => base !== "text_to_concept");
  // Opens sessions and compiles.
  await train({ ...problem, concepts: problem.concepts.slice(0, 8) }, methods);
  const runs: { readonly perConcept: number; readonly rate: number }[] = [];
  const ofPeers: Record<string, number[]> = {};
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    const before = await productRate();
    const map = ofMap.length > 0 ? await timed(() => train(problem, ofMap)) : 0;
    const rest = await timed(() => train(sample, others));
    const perConcept = 1000 * (map / scale.concepts + rest / sample.concepts.length);
    runs.push({ perConcept, rate: (before + await productRate()) / 2 });
    for (const peer of values.peer === undefined ? [] : peers) {
      (ofPeers[peer] ??= []).push(await timePeer(values.peer!, peer));
    }
  }
  const perConcept = median(runs.map((run) => run.perConcept));
  report("this code", perConcept, median(runs.map(({ rate }) => rate)));
  for (const [peer, times] of Object.entries(ofPeers)) {
    const ratio = median(times) / perConcept;
    console.log(
      `PyTorch ${peer}: ${median(times).toFixed(2)} ms a concept, ${
        ratio.toFixed(2)
      } times as long`,
    );
  }
}
await engine.close();
console.log(
  `${engine.description}; peak memory ${(await memoryOf("VmHWM") / 2 ** 30).toFixed(2)} GiB`,
);
if (values.generate) {
  console.log(
    `of it ${generated.seconds.toFixed(1)} s to generate ${generated.rows} rows of features`,
  );
}

/** The milliseconds a concept of each method alone, medians of interleaved repeats, beside the first. */
async function reportEach(count: number): Promise<void> {
  const sample = { ...problem, concepts: problem.concepts.slice(0, count) };
  await train({ ...problem, concepts: problem.concepts.slice(0, 2) }, methods);
  const times = new Map(methods.map((method) => [method, [] as number[]]));
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    for (const method of methods) {
      const seconds = await timed(() => train(sample, [method]));
      times.get(method)!.push(1000 * seconds / count);
    }
  }
  const first = median(times.get(methods[0]!)!);
  for (const [{ id }, ofMethod] of times) {
    const time = median(ofMethod);
    console.log(
      `${id}: ${time.toFixed(2)} ms a concept, ${(time / first).toFixed(2)} times as long`,
    );
  }
}

async function train(problem: CavProblem, methods: readonly Method[]): Promise<void> {
  const context = { engine, random: createRandom(0) };
  for await (const _ of trainBlocks(problem, allRequests(problem, methods), context));
}

/** Seconds of the processor. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

/** Operations per second of the product of all probes with each other: the median of nine. */
async function productRate(): Promise<number> {
  const { probes, dim } = scale;
  const rows = fill([probes, dim], () => 0.5);
  const rates: number[] = [];
  for (let i = 0; i < 9; i++) {
    rates.push(2 * probes ** 2 * dim / await timed(() => engine.product(rows, rows)));
  }
  return median(rates);
}

async function timePeer(python: string, way: string): Promise<number> {
  const concepts = Number(values["peer-concepts"]);
  const { dim, probes, seeds } = scale;
  const spec = { concepts, dim, probes, seeds, way, epochs: 10, batch: 100, draws: 10 };
  const args = ["bench/cav_training.py", JSON.stringify(spec)];
  const { stdout } = await new Deno.Command(python, { args }).output();
  return 1000 * JSON.parse(new TextDecoder().decode(stdout)).cpu / concepts;
}

function report(name: string, perConcept: number, rate: number): void {
  console.log(
    `${name}: dim ${scale.dim}, ${perConcept.toFixed(1)} ms a concept; products run at ` +
      `${(rate / 1e9).toFixed(0)} GFLOP/s`,
  );
  const counts = { "as stated": operationsAsStated(scale), "fewest": fewestOperations(scale) };
  for (const [name, count] of Object.entries(counts)) {
    const ideal = 1000 * count / rate;
    console.log(
      `  ${(perConcept / ideal).toFixed(2)} times the ${ideal.toFixed(1)} ms of its ` +
        `${(count / 1e9).toFixed(2)} GFLOP, ${name}`,
    );
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function readMethod(id: string): Promise<Method> {
  return plain(await loadConfig(`configs/methods/${id}.json`, methodSchema));
}

function randomProblem(scale: Scale, random: Random): CavProblem {
  const { concepts, dim, probes, seeds, shots: count, textDim: width } = scale;
  const shots = (stream: Random) =>
    Array.from(
      { length: seeds },
      () => Int32Array.from({ length: count }, () => stream.integer(pool)),
    );
  return {
    features: values.generate
      ? generatedRows(pool, { width: dim })
      : featureRows(fill([pool, dim], () => 2 * random.uniform())),
    vlFeatures: featureRows(fill([pool, width], () => random.uniform() - 0.3)),
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    concepts: Array.from({ length: concepts }, (_, i) => {
      const stream = random.split(i);
      const drawn = new Set<number>();
      while (drawn.size < probes) drawn.add(stream.integer(pool));
      const text = () => Float32Array.from({ length: width }, stream.normal);
      return {
        concept: `concept ${i}`,
        probes: Int32Array.from(drawn),
        positives: shots(stream),
        negatives: shots(stream),
        labelled: new Int32Array(),
        text: { prompt: text(), ensemble: text() },
      };
    }),
  };
}
