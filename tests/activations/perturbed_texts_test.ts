import assert from "node:assert/strict";
import { ambiguousTexts, centreTexts, disperseTexts } from "../../lib/activations/mod.ts";
import { cosine, createRandom, norm, row, type Tensor, tensor } from "../../lib/tensor/mod.ts";

const [concepts, width] = [40, 24];
const templates = [
  "a photo of the {}",
  "a photo of the {}.",
  "a sketch of the {}.",
  "a {}",
  "a {}",
];
const random = createRandom("perturbed texts test");

/** Texts in a cone: each has the same last coordinate; prompts of a concept hardly differ. */
const texts = (() => {
  const ofConcept = Array.from({ length: concepts }, () => {
    const own = Array.from({ length: width - 1 }, random.normal);
    const length = norm(own);
    return [...own.map((x) => 0.4 * x / length), Math.sqrt(1 - 0.16)];
  });
  const prompts = ofConcept.flatMap((text) =>
    templates.slice(1).map(() => text.map((x) => x + 1e-4 * random.normal()))
  );
  return {
    prompt: tensor([concepts, width], Float32Array.from(ofConcept.flat())),
    ensemble: tensor([concepts, templates.length - 1, width], Float32Array.from(prompts.flat())),
  };
})();

const promptOf = (ensemble: Tensor, concept: number, k: number) =>
  row(ensemble, concept).subarray(k * width, (k + 1) * width);

/** Mean of a value of every two different numbers below a count. */
function meanOfPairs(count: number, of: (i: number, j: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) sum += of(i, j);
  return sum / (count * (count - 1) / 2);
}
const between = meanOfPairs(
  concepts,
  (i, j) => cosine(row(texts.prompt, i), row(texts.prompt, j)),
);
const within = (ensemble: Tensor) => {
  const means = Array.from(
    { length: concepts },
    (_, c) => meanOfPairs(4, (i, j) => cosine(promptOf(ensemble, c, i), promptOf(ensemble, c, j))),
  );
  return means.reduce((sum, mean) => sum + mean / concepts, 0);
};

for (const level of [0.1, 0.5, 1]) {
  for (const zipf of [0, 1, 2]) {
    Deno.test(`disperseTexts() gives prompts of a concept the mean cosine of level ${level}, exponent ${zipf}`, () => {
      const moved = disperseTexts(texts, templates, { level, zipf, style: 0.5, random });
      const expected = 1 - level * (1 - between);
      assert.ok(Math.abs(within(moved.ensemble) - expected) < 1e-5, `${within(moved.ensemble)}`);
    });
  }
}

/** By how much a template of the ensemble moved each concept. */
function movesOf(options: Omit<Parameters<typeof disperseTexts>[2], "random">, k: number) {
  const moved = disperseTexts(texts, templates, { ...options, random });
  return Array.from({ length: concepts }, (_, c) => {
    const before = promptOf(texts.ensemble, c, k);
    const length = norm(before);
    return promptOf(moved.ensemble, c, k).map((x, i) => x - before[i]! / length);
  });
}

Deno.test("disperseTexts() moves a template of rank r by r ** exponent times the variance", () => {
  const variance = (k: number) =>
    movesOf({ level: 1, zipf: 2, style: 0 }, k).reduce((sum, move) => sum + norm(move) ** 2, 0);
  // Ranks: the plain one and its full stop 1, the sketch 2, the last, twice, 3.
  const [first, second, third] = [0, 1, 2].map(variance) as [number, number, number];
  assert.ok(Math.abs(second / first / 4 - 1) < 0.35, `${second / first}`);
  assert.ok(Math.abs(third / first / 9 - 1) < 0.35, `${third / first}`);
});

Deno.test("disperseTexts() moves all concepts alike by a style, and each its own way without", () => {
  const alike = (style: number) => {
    const moves = movesOf({ level: 1, zipf: 0, style }, 1);
    return meanOfPairs(concepts, (i, j) => cosine(moves[i]!, moves[j]!));
  };
  assert.ok(alike(1) > 0.9999);
  assert.ok(Math.abs(alike(0)) < 0.05);
  assert.ok(Math.abs(alike(0.5) - 0.5) < 0.15, `${alike(0.5)}`);
});

Deno.test("disperseTexts() moves one template alike, wherever it is listed and with a full stop", () => {
  const { prompt, ensemble } = disperseTexts(texts, templates, {
    level: 1,
    zipf: 1,
    style: 0.5,
    random,
  });
  for (let c = 0; c < concepts; c++) {
    assert.ok(cosine(row(prompt, c), promptOf(ensemble, c, 0)) > 0.999);
    assert.ok(cosine(promptOf(ensemble, c, 2), promptOf(ensemble, c, 3)) > 0.999);
    assert.ok(cosine(promptOf(ensemble, c, 1), promptOf(ensemble, c, 3)) < 0.999);
  }
});

Deno.test("disperseTexts() stays within what the concepts' features span", () => {
  // The last coordinate is the same of all concepts, so no difference of theirs has any.
  for (const move of movesOf({ level: 1, zipf: 0, style: 0.5 }, 1)) {
    assert.ok(Math.abs(move[width - 1]!) < 1e-3);
  }
});

Deno.test("disperseTexts() rejects prompts that would lie further apart than any can", () => {
  const options = { level: 40, zipf: 0, style: 0, random };
  assert.throws(() => disperseTexts(texts, templates, options), /Lower the dispersion/);
});

Deno.test("ambiguousTexts() mixes unit features of a concept and of its other meaning", () => {
  const prompt = tensor([2, 2], Float32Array.of(2, 0, 0, 3));
  const ensemble = tensor([2, 1, 2], Float32Array.of(0, 5, 4, 0));
  const mixed = ambiguousTexts({ prompt, ensemble }, { others: [1, 0], weight: 0.25 });
  assert.deepEqual([...mixed.prompt.data], [0.75, 0.25, 0.25, 0.75]);
  assert.deepEqual([...mixed.ensemble.data], [0.25, 0.75, 0.75, 0.25]);
});

Deno.test("centreTexts() takes the share of the mean over concepts off each prompt", () => {
  const prompt = tensor([2, 2], Float32Array.of(2, 0, 0, 3));
  const ensemble = tensor([2, 1, 2], Float32Array.of(0, 5, 4, 0));
  const centred = centreTexts({ prompt, ensemble }, { share: 0.5 });
  assert.deepEqual([...centred.prompt.data], [0.75, -0.25, -0.25, 0.75]);
  assert.deepEqual([...centred.ensemble.data], [-0.25, 0.75, 0.75, -0.25]);
});

Deno.test("centreTexts() leaves nothing that all concepts share at 1", () => {
  const { prompt } = centreTexts(texts, { share: 1 });
  const cosines = meanOfPairs(concepts, (i, j) => cosine(row(prompt, i), row(prompt, j)));
  // Unit vectors that sum to nearly nothing.
  assert.ok(Math.abs(cosines + 1 / (concepts - 1)) < 0.01, `${cosines}`);
});
