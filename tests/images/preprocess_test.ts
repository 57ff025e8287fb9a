import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { preprocessSchema } from "../../lib/config/mod.ts";
import {
  decodeImage,
  outputSize,
  preprocess,
  preprocessBatch,
  resize,
  type RgbImage,
} from "../../lib/images/mod.ts";

const fixtures = "tests/fixtures/data";

interface Output {
  readonly file: string;
  readonly spec: string;
  readonly shape: readonly [number, number, number];
  readonly sha256: string;
}

const { specs, outputs }: { specs: Record<string, unknown>; outputs: Output[] } = JSON.parse(
  await Deno.readTextFile(`${fixtures}/preprocess.json`),
);

for (const [name, unchecked] of Object.entries(specs)) {
  Deno.test(`preprocess() equals the reference to the bit: ${name}`, async () => {
    const spec = preprocessSchema.parse(unchecked);
    for (const { file, shape, sha256 } of outputs.filter((output) => output.spec === name)) {
      const image = await decodeImage(await Deno.readFile(`${fixtures}/images/${file}`), file);
      const { width, height } = outputSize(spec, image);
      assert.deepEqual([3, height, width], shape, file);
      const pixels = new Uint8Array(preprocess(image, spec).buffer);
      assert.equal(createHash("sha256").update(pixels).digest("hex"), sha256, file);
    }
  });
}

function constant(width: number, height: number, value: number): RgbImage {
  return { width, height, data: new Uint8Array(width * height * 3).fill(value) };
}

Deno.test("resize() keeps a constant image constant", () => {
  for (const interpolation of ["bilinear", "bicubic"] as const) {
    for (const value of [0, 1, 128, 255]) {
      const resized = resize(constant(13, 7, value), { width: 5, height: 29 }, { interpolation });
      assert.ok(resized.data.every((byte) => byte === value));
    }
  }
});

for (const size of [{ width: 12, height: 23 }, { width: 40, height: 9 }]) {
  Deno.test(`resize() of a window is that window of the whole ${size.width}x${size.height}`, () => {
    const data = Uint8Array.from({ length: 31 * 17 * 3 }, (_, i) => (i * i + 7 * i) % 256);
    const image = { width: 31, height: 17, data };
    const window = { left: 3, top: 2, width: 7, height: 6 };
    const whole = resize(image, size, { interpolation: "bicubic" });
    const part = resize(image, size, { interpolation: "bicubic", window });
    for (let y = 0; y < window.height; y++) {
      const from = ((y + window.top) * size.width + window.left) * 3;
      assert.deepEqual(
        part.data.subarray(y * window.width * 3, (y + 1) * window.width * 3),
        whole.data.subarray(from, from + window.width * 3),
      );
    }
  });
}

const whole = { ...preprocessSchema.parse(specs["imagenet"]), resize: null, crop: null };

Deno.test("preprocessBatch() is its images one after another", () => {
  const images = [0, 200].map((value) => ({ id: `${value}`, image: constant(6, 4, value) }));
  const [black, grey] = images.map(({ image }) => preprocess(image, whole));
  assert.deepEqual(preprocessBatch(images, whole), Float32Array.of(...black!, ...grey!));
  assert.deepEqual(preprocessBatch([], whole), new Float32Array());
});

Deno.test("preprocessBatch() names the image of another size, equal in length or not", () => {
  const first = { id: "first", image: constant(32, 128, 0) };
  for (const [width, height] of [[128, 32], [40, 30]] as const) {
    const images = [first, { id: "second", image: constant(width, height, 0) }];
    assert.throws(() => preprocessBatch(images, whole), {
      name: "UserError",
      message: new RegExp(`image second .* is ${width}x${height} .* takes 32x128: set "crop"`),
    });
    const cropped = { ...whole, crop: 16 };
    assert.equal(preprocessBatch(images, cropped).length, 2 * 3 * 16 * 16);
  }
  const size = { width: 64, height: 64 };
  assert.throws(() => preprocessBatch([first], whole, { size }), /image first .* takes 64x64/);
});

Deno.test("preprocessSchema names the wrong field", () => {
  const spec = specs["imagenet"] as Record<string, unknown>;
  const wrong = (change: Record<string, unknown>) =>
    preprocessSchema.safeParse({ ...spec, ...change }).error?.issues[0]?.path.join(".");
  assert.equal(wrong({ std: [0.2, 0, 0.2] }), "std");
  assert.equal(wrong({ mean: [0.5] }), "mean");
  assert.equal(wrong({ crop: 0 }), "crop");
  assert.equal(wrong({ resize: { shortest: 256 } }), "resize");
});
