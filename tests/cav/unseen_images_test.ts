import assert from "node:assert/strict";
import { allRows, type FeatureRows, featureRows } from "../../lib/activations/mod.ts";
import { type CavProblem, openEngine, trainCavs } from "../../lib/cav/mod.ts";
import { loadConfig, type Method, methodSchema, plain } from "../../lib/config/mod.ts";
import { createRandom, row } from "../../lib/tensor/mod.ts";
import { readReference } from "./_reference.ts";

const { problem, results } = await readReference("methods.json");
const folder = new URL("../../configs/methods/", import.meta.url).pathname;
const shipped = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
/** The reference's methods, and all that are shipped. */
const methods: Method[] = [
  ...results.map(({ method }) => ({ ...method, id: `${method.id} of the reference` })),
  ...await Promise.all(
    shipped.map(async (file) => plain(await loadConfig(folder + file, methodSchema))),
  ),
];
const random = createRandom("unseen images");

/** The features with some images times a factor, such as NaN. */
async function changed(
  features: FeatureRows,
  { images, factor }: { readonly images: readonly number[]; readonly factor: number },
): Promise<FeatureRows> {
  const all = await allRows(features);
  const { shape, data } = { shape: all.shape, data: all.data.slice() };
  for (const image of images) {
    row({ shape, data }, image).forEach((x, j, ofImage) => ofImage[j] = x * factor);
  }
  return featureRows({ shape, data });
}

/** The images that judge the vectors of some concepts of a seed, less the shots of one of them. */
function judging(concepts: CavProblem["concepts"], { of, seed }: {
  readonly of: CavProblem["concepts"][number];
  readonly seed: number;
}): number[] {
  const shots = new Set([...of.positives[seed]!, ...of.negatives[seed]!]);
  const labelled = concepts.flatMap(({ labelled }) => [...labelled]);
  return [...new Set(labelled)].filter((image) => !shots.has(image));
}

async function vectorOf(
  method: Method,
  { concept, seed, ...change }: {
    readonly concept: number;
    readonly seed: number;
    readonly images: readonly number[];
    readonly factor: number;
  },
) {
  const engine = await openEngine("ort", { device: "cpu" });
  const trained = await trainCavs(
    {
      ...problem,
      features: await changed(problem.features, change),
      vlFeatures: await changed(problem.vlFeatures, change),
    },
    [method],
    { engine, random },
  );
  await engine.close();
  const at = seed * problem.concepts.length + concept;
  const { shape: [, , , dim = 0], data } = trained.vectors;
  return {
    vector: data.slice(at * dim, (at + 1) * dim),
    threshold: row(trained.thresholds, 0)[at],
  };
}

const sees = (method: Method) =>
  "unlabelled" in method.hyperparameters && method.hyperparameters.unlabelled === "may judge";

for (const method of methods) {
  Deno.test(`trainCavs() by ${method.id} ${sees(method) ? "sees" : "never sees"} what judges the vector`, async () => {
    for (const [concept, of] of problem.concepts.entries()) {
      for (const seed of problem.seeds.keys()) {
        // All vectors by one map are judged by the images of all concepts.
        const judged = method.base === "text_to_concept" ? problem.concepts : [of];
        const images = judging(judged, { of, seed });
        assert.ok(images.length > 10);
        const expected = await vectorOf(method, { concept, seed, images, factor: 1 });
        assert.ok(expected.vector.every(Number.isFinite));
        if (sees(method)) {
          const actual = await vectorOf(method, { concept, seed, images, factor: -1 });
          assert.notDeepEqual(actual.vector, expected.vector);
        } else {
          const actual = await vectorOf(method, { concept, seed, images, factor: NaN });
          assert.deepEqual(actual, expected);
        }
      }
    }
  });
}
