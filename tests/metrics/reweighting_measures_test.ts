import assert from "node:assert/strict";
import { measureOf, type ReweightingMeasure } from "../../lib/metrics/mod.ts";
import { createRandom, tensor } from "../../lib/tensor/mod.ts";

const cavOf = (...vector: number[]) => ({ vector: Float32Array.from(vector), threshold: 0 });
const gradientsOf = (...row: number[]) => tensor([1, row.length], Float32Array.from(row));
const value = (
  name: "probe_effective_sample_size" | "dsr_angle" | "dsr_bound" | "dsr_gain",
  cav: ReturnType<typeof cavOf>,
  options: Parameters<ReweightingMeasure["measure"]>[1],
) => (measureOf(name) as ReweightingMeasure).measure(cav, options);
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-5, `${actual} for ${expected}`);

Deno.test("measures of reweighting are those of a right angle, worked by hand", () => {
  const options = { without: cavOf(0, 3), share: 0.25, gradients: gradientsOf(5, 0) };
  near(value("dsr_angle", cavOf(2, 0), options), 90);
  near(value("dsr_bound", cavOf(2, 0), options), 100 * Math.SQRT2);
  near(value("dsr_gain", cavOf(2, 0), options), 100);
  near(value("probe_effective_sample_size", cavOf(2, 0), options), 25);
});

Deno.test("dsr_angle tells a small angle exactly, where the arc cosine loses it", () => {
  const options = { without: cavOf(1, 0), share: 1, gradients: gradientsOf(1, 0) };
  const angle = value("dsr_angle", cavOf(1, 2 ** -14), options);
  assert.ok(Math.abs(angle / (180 / Math.PI * Math.atan(2 ** -14)) - 1) < 1e-6);
  near(value("dsr_angle", cavOf(1, 0), options), 0);
});

Deno.test("dsr_bound is never below what DSR gains or loses, and is reached", () => {
  const random = createRandom("bound");
  const draw = () => Array.from({ length: 3 }, random.normal);
  for (let i = 0; i < 500; i++) {
    const cav = cavOf(...draw());
    const options = { without: cavOf(...draw()), share: 1, gradients: gradientsOf(...draw()) };
    const [gain, bound] = [value("dsr_gain", cav, options), value("dsr_bound", cav, options)];
    assert.ok(Math.abs(gain) <= bound + 1e-4, `${gain} beyond ${bound}`);
  }
  // A gradient along the difference of two unit vectors.
  const options = { without: cavOf(0, 1), share: 1, gradients: gradientsOf(1, -1) };
  near(value("dsr_gain", cavOf(1, 0), options), value("dsr_bound", cavOf(1, 0), options));
});
