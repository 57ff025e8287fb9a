import assert from "node:assert/strict";
import { meanRow } from "../../lib/cav/_centre_rows.ts";
import { orthogonalise } from "../../lib/cav/oa_tcav.ts";
import { createRandom, dot, norm, row, type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { matrix } from "./_reference.ts";

const random = createRandom("noise");
const normal = (rows: number) =>
  tensor([rows, 8], Float32Array.from({ length: rows * 8 }, random.normal));

/** The noise [images, dim] made orthogonal to as many positives [images, dim], by its sums. */
function orthogonaliseNoise(noise: Tensor, positives: Tensor): Tensor {
  const [count = 0, dim = 0] = noise.shape;
  const members = tensor(
    [2 * count + 1, dim],
    Float32Array.of(...positives.data, ...noise.data, ...new Float32Array(dim)),
  );
  const all = [...Array(2 * count + 1).keys()];
  const products = all.flatMap((i) => all.map((j) => dot(row(members, i), row(members, j))));
  const gram = tensor([all.length, all.length], Float32Array.from(products));
  const sums = orthogonalise(gram, { positives: count });
  // What is no noise stands for itself.
  for (const i of [...all.slice(0, count), 2 * count]) {
    assert.deepEqual([...row(sums, i)], all.map((j) => j === i ? 1 : 0));
  }
  const rows = all.slice(count, 2 * count).map((i) => row(sums, i)).flatMap((sum) =>
    Array.from(
      { length: dim },
      (_, k) => all.reduce((x, j) => x + sum[j]! * row(members, j)[k]!, 0),
    )
  );
  return tensor(noise.shape, Float32Array.from(rows));
}

Deno.test("orthogonalise() makes noise orthogonal to the concept and to each other", () => {
  const [noise, positives] = [normal(4), normal(4)];
  const orthogonal = orthogonaliseNoise(noise, positives);
  const concept = meanRow(positives);
  for (let i = 0; i < 4; i++) {
    assert.ok(Math.abs(dot(row(orthogonal, i), concept)) < 1e-5);
    assert.ok(norm(row(orthogonal, i)) <= norm(row(noise, i)) * (1 + 1e-6));
    for (let j = 0; j < i; j++) {
      assert.ok(Math.abs(dot(row(orthogonal, i), row(orthogonal, j))) < 1e-5);
    }
  }
});

Deno.test("orthogonalise() makes a dependent image zero", () => {
  const orthogonal = orthogonaliseNoise(
    matrix([[0, 2, 0], [5, 4, 0]]),
    matrix([[1, 0, 0], [1, 0, 0]]),
  );
  assert.deepEqual([...orthogonal.data], [0, 2, 0, 0, 0, 0]);
});

Deno.test("orthogonalise() takes positives without a mean as they are", () => {
  const noise = matrix([[1, 2], [2, -1]]);
  assert.deepEqual(orthogonaliseNoise(noise, matrix([[1, 0], [-1, 0]])), noise);
});
