import assert from "node:assert/strict";
import { orthogonaliseNoise } from "../../lib/cav/oa_tcav.ts";
import { openEngine } from "../../lib/cav/mod.ts";
import { createRandom, dot, norm, row, type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { matrix } from "./_reference.ts";

const random = createRandom("noise");
const normal = (rows: number) =>
  tensor([rows, 8], Float32Array.from({ length: rows * 8 }, random.normal));

/** The noise [images, dim] beside the mean of the positives [images, dim], made orthogonal. */
async function orthogonalise(noise: Tensor, positives: Tensor): Promise<Tensor> {
  const [count = 0, dim = 0] = noise.shape;
  const concept = Float32Array.from({ length: dim }, (_, j) => {
    const column = positives.data.filter((_, at) => at % dim === j);
    return column.reduce((sum, x) => sum + x, 0) / column.length;
  });
  const images = tensor([1, 1 + count, dim], Float32Array.of(...concept, ...noise.data));
  const engine = await openEngine("ort", { device: "cpu" });
  const orthogonal = await orthogonaliseNoise(images, engine);
  await engine.close();
  assert.deepEqual(orthogonal.shape, [1, count, dim]);
  return tensor(noise.shape, orthogonal.data);
}

Deno.test("orthogonaliseNoise() makes noise orthogonal to the concept and to each other", async () => {
  const [noise, positives] = [normal(4), normal(2)];
  const orthogonal = await orthogonalise(noise, positives);
  const concept = row(positives, 0).map((x, j) => x + row(positives, 1)[j]!);
  for (let i = 0; i < 4; i++) {
    assert.ok(Math.abs(dot(row(orthogonal, i), concept)) < 1e-5);
    assert.ok(norm(row(orthogonal, i)) <= norm(row(noise, i)) * (1 + 1e-6));
    for (let j = 0; j < i; j++) {
      assert.ok(Math.abs(dot(row(orthogonal, i), row(orthogonal, j))) < 1e-5);
    }
  }
});

Deno.test("orthogonaliseNoise() makes a dependent image zero", async () => {
  const orthogonal = await orthogonalise(matrix([[0, 2, 0], [5, 4, 0]]), matrix([[1, 0, 0]]));
  assert.deepEqual([...orthogonal.data], [0, 2, 0, 0, 0, 0]);
});

Deno.test("orthogonaliseNoise() takes positives without a mean as they are", async () => {
  const noise = matrix([[1, 2]]);
  assert.deepEqual(await orthogonalise(noise, matrix([[1, 0], [-1, 0]])), noise);
});
