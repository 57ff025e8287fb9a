/**
 * Times CAV training at the paper's scale on random features, beside a PyTorch loop that does the
 * same updates.
 *
 *     deno run -A bench/cav_training.ts [--concepts 468] [--dim 2048] [--pool 60000]
 *         [--probes 1000] [--seeds 4] [--peer python3] [--peer-concepts 2] [--engine ort|tfjs]
 *         [--methods original_cav,lg_cav] [--generate]
 *
 * With --generate, features are made when they are asked for, as if read from a store: whole feature
 * maps do not fit in memory (`--dim 50176` is a map of ResNet-18). The time that takes is told apart.
 *
 * Both use one thread. The peer trains fewer concepts; its time is scaled to the same number, as it
 * does them one after the other. It leaves out Text-to-Concept and the choice of weights.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { type FeatureRows, featureRows } from "../lib/activations/mod.ts";
import { allRequests, type CavProblem, openEngine, trainBlocks } from "../lib/cav/mod.ts";
import { selectProbes } from "../lib/concepts/mod.ts";
import { loadConfig, type Method, methodSchema, plain } from "../lib/config/mod.ts";
import { createRandom, type Random, type Tensor, zeros } from "../lib/tensor/mod.ts";

const methodIds = [
  "original_cav",
  "text_to_concept",
  "oa_tcav",
  "lg_cav",
  "lg_cav+ga",
  "lg_cav+ga+ce",
  "lg_cav+ga+ce+dsr",
];

/** Seconds on the clock and of the processor; the latter compare on a machine that is shared. */
interface Time {
  readonly wall: number;
  readonly cpu: number;
}

interface Scale {
  readonly concepts: number;
  readonly dim: number;
  readonly pool: number;
  readonly probes: number;
  readonly seeds: number;
}

const { values } = parseArgs({
  options: {
    concepts: { type: "string", default: "468" },
    dim: { type: "string", default: "2048" },
    pool: { type: "string", default: "60000" },
    probes: { type: "string", default: "1000" },
    seeds: { type: "string", default: "4" },
    engine: { type: "string", default: "ort" },
    methods: { type: "string", default: methodIds.join(",") },
    generate: { type: "boolean", default: false },
    peer: { type: "string" },
    "peer-concepts": { type: "string", default: "2" },
  },
});
const scale: Scale = {
  concepts: Number(values.concepts),
  dim: Number(values.dim),
  pool: Number(values.pool),
  probes: Number(values.probes),
  seeds: Number(values.seeds),
};

const methods = await Promise.all(values.methods.split(",").map(readMethod));
const generated = { seconds: 0, rows: 0 };
const problem = randomProblem(scale, createRandom("bench"));
const engine = await openEngine(values.engine === "tfjs" ? "tfjs" : "ort", { device: "cpu" });
const started = { wall: performance.now(), cpu: process.cpuUsage() };
const context = { engine, random: createRandom(0) };
for await (const _ of trainBlocks(problem, allRequests(problem, methods), context));
const time = { wall: (performance.now() - started.wall) / 1000, cpu: cpuSeconds(started.cpu) };
await engine.close();
report("this code", { time, concepts: scale.concepts });
console.log(`${engine.description}; peak memory ${(await peakMemory() / 2 ** 30).toFixed(2)} GiB`);
if (values.generate) {
  console.log(
    `of it ${generated.seconds.toFixed(1)} s to generate ${generated.rows} rows of features`,
  );
}

if (values.peer !== undefined) {
  const concepts = Number(values["peer-concepts"]);
  for (const way of ["batched", "one by one"]) {
    const spec = { ...scale, concepts, way, epochs: 10, batch: 100, draws: 10 };
    const { stdout } = await new Deno.Command(values.peer, {
      args: ["bench/cav_training.py", JSON.stringify(spec)],
    }).output();
    const peer: Time = JSON.parse(new TextDecoder().decode(stdout));
    report(`PyTorch ${way}`, { time: peer, concepts });
    const ratio = peer.cpu / concepts / (time.cpu / scale.concepts);
    console.log(`  takes ${ratio.toFixed(1)} times the processor time for a concept`);
  }
}

function report(name: string, { time, concepts }: { time: Time; concepts: number }): void {
  const rate = concepts * operationsPerConcept(scale) / time.cpu / 1e9;
  const perConcept = 1000 * time.cpu / concepts;
  console.log(
    `${name}: ${concepts} concepts in ${time.wall.toFixed(1)} s, ${time.cpu.toFixed(1)} s of the ` +
      `processor: ${perConcept.toFixed(0)} ms a concept, ` +
      `${(perConcept * scale.concepts / 1000).toFixed(0)} s for ${scale.concepts}, ` +
      `${rate.toFixed(1)} GFLOP/s of guidance`,
  );
}

/** Multiplications and additions of the language-guided loss and its gradient. */
function operationsPerConcept({ dim, probes, seeds }: Scale): number {
  const columns = seeds * methods.filter(({ base }) => base === "lg_cav").length;
  return 4 * probes * dim * columns * 10;
}

async function readMethod(id: string): Promise<Method> {
  return plain(await loadConfig(`configs/methods/${id}.json`, methodSchema));
}

function randomProblem(scale: Scale, random: Random): CavProblem {
  const { concepts, dim, pool, probes, seeds } = scale;
  const width = 512;
  const shots = (stream: Random) =>
    Array.from(
      { length: seeds },
      () => Int32Array.from({ length: 10 }, () => stream.integer(pool)),
    );
  return {
    features: values.generate
      ? generatedRows(pool, dim)
      : featureRows(fill([pool, dim], () => 2 * random.uniform())),
    vlFeatures: featureRows(fill([pool, width], () => random.uniform() - 0.3)),
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    concepts: Array.from({ length: concepts }, (_, i) => {
      const stream = random.split(i);
      const activations = Float32Array.from({ length: pool }, stream.uniform);
      const text = () => Float32Array.from({ length: width }, stream.normal);
      return {
        concept: `concept ${i}`,
        probes: selectProbes(activations, { count: probes, choice: "extreme", random: stream }),
        positives: shots(stream),
        negatives: shots(stream),
        text: { prompt: text(), ensemble: text() },
      };
    }),
  };
}

/** Features in [0, 2), each a hash of its place. */
function generatedRows(pool: number, dim: number): FeatureRows {
  return {
    shape: [pool, dim],
    take(rows) {
      const started = performance.now();
      const taken = zeros([rows.length, dim]);
      for (let i = 0; i < rows.length; i++) {
        let state = Math.imul(rows[i]! + 1, 0x9e3779b1);
        for (let j = 0; j < dim; j++) {
          state = (Math.imul(state, 1664525) + 1013904223) | 0;
          taken.data[i * dim + j] = (state >>> 8) * 2 ** -23;
        }
      }
      generated.seconds += (performance.now() - started) / 1000;
      generated.rows += rows.length;
      return Promise.resolve(taken);
    },
  };
}

function fill(shape: readonly number[], draw: () => number): Tensor {
  const filled = zeros(shape);
  for (let i = 0; i < filled.data.length; i++) filled.data[i] = draw();
  return filled;
}

function cpuSeconds(since: { user: number; system: number }): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** The high-water mark of this process's memory in bytes, from the Linux kernel. */
async function peakMemory(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
}
