import assert from "node:assert/strict";
import { carryByFeatures, carryByImages, carryTexts } from "../../lib/cav/_carry_texts.ts";
import { centreRows, meanRow } from "../../lib/cav/_centre_rows.ts";
import { featureRows } from "../../lib/activations/mod.ts";
import { openEngine } from "../../lib/cav/mod.ts";
import { createRandom, row, zeros } from "../../lib/tensor/mod.ts";
import { relativeDifference } from "./_reference.ts";

const random = createRandom("map");

Deno.test("carryTexts() carries texts by the affine map that the images follow", async () => {
  const [images, dim, width] = [200, 6, 3];
  const map = Float32Array.from({ length: width * dim }, random.normal);
  const features = zeros([images, dim]);
  // Unit vectors whose first coordinates depend on the features; the last makes up the length.
  const vlFeatures = zeros([images, width + 1]);
  for (let i = 0; i < images; i++) {
    let rest = 1;
    for (let j = 0; j < dim; j++) features.data[i * dim + j] = 3 + random.normal();
    for (let k = 0; k < width; k++) {
      let value = 0.1 * k;
      for (let j = 0; j < dim; j++) value += 0.02 * map[k * dim + j]! * features.data[i * dim + j]!;
      vlFeatures.data[i * (width + 1) + k] = value;
      rest -= value ** 2;
    }
    vlFeatures.data[i * (width + 1) + width] = Math.sqrt(rest);
  }
  const engine = await openEngine("ort", { device: "cpu" });
  const z = meanRow(vlFeatures);
  // Across the mean image, and the same with a part along it, which the cosine does not see.
  const across = Float32Array.of(z[1]!, -z[0]!, 0, 0);
  const carried = await carryTexts(
    [across, across.map((x, k) => x + 7 * z[k]!)],
    {
      features: featureRows(features),
      vlFeatures: featureRows(vlFeatures),
      rows: Array.from({ length: images }, (_, i) => i),
      map: "target to VL",
      ridge: 1e-7,
      engine,
    },
  );
  await engine.close();
  assert.deepEqual(carried.shape, [2, dim]);
  const expected = Float64Array.from(
    { length: dim },
    (_, j) => 0.02 * (z[1]! * map[j]! - z[0]! * map[dim + j]!),
  );
  assert.ok(relativeDifference(row(carried, 0), expected) < 1e-5);
  assert.ok(relativeDifference(row(carried, 1), expected) < 1e-4);
});

Deno.test("carryByFeatures() and carryByImages() solve the same problem", async () => {
  const [images, dim, width] = [600, 530, 4];
  const fill = (shape: number[]) => {
    const filled = zeros(shape);
    filled.data.forEach((_, i) => filled.data[i] = random.normal());
    return centreRows(filled).deviations;
  };
  const [x, y] = [fill([images, dim]), fill([images, width])];
  const texts = [Float32Array.of(1, 0, 0, 0), Float32Array.of(0.3, -1, 2, 0.1)];
  const engine = await openEngine("ort", { device: "cpu" });
  const byFeatures = await carryByFeatures(texts, { x, y, ridge: 0.01, engine });
  const features = featureRows(x);
  const byImages = await carryByImages(texts, { features, y, ridge: 0.01, engine });
  await engine.close();
  assert.deepEqual(byImages.shape, byFeatures.shape);
  assert.ok(relativeDifference(byImages.data, byFeatures.data) < 1e-5);
});
