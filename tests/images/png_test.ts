import assert from "node:assert/strict";
import sharp from "sharp";
import { preprocessSchema } from "../../lib/config/mod.ts";
import {
  decodeImage,
  encodePng,
  outputSize,
  preprocess,
  resize,
  shownPixels,
} from "../../lib/images/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";

/** Noise, a slope, stripes and one colour: each filter is the best one of some row. */
function pixels({ width, height, channels }: Record<"width" | "height" | "channels", number>) {
  const random = createRandom("png");
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const kinds = [random.integer(256), 3 * x + 5 * y, 40 * (x % 2), 90, 3 * x, 7 * y];
        data[(y * width + x) * channels + c] = kinds[y % kinds.length]!;
      }
    }
  }
  return data;
}

for (const channels of [3, 4]) {
  for (const [width, height] of [[1, 1], [1, 9], [31, 24]] as const) {
    Deno.test(`encodePng() of ${width}x${height} pixels of ${channels} bytes is decoded to them`, async () => {
      const data = pixels({ width, height, channels });
      const png = encodePng({ width, height, data });
      assert.deepEqual(encodePng({ width, height, data }), png);
      const { data: decoded, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height, info.channels], [width, height, channels]);
      assert.deepEqual(new Uint8Array(decoded), data);
    });
  }
}

Deno.test("encodePng() compresses what can be predicted, and refuses another number of bytes", () => {
  const slope = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.floor(i / 3) % 64);
  const png = encodePng({ width: 64, height: 64, data: slope });
  assert.ok(png.length < 400);
  // Every PNG ends with this checksum of an empty IEND.
  assert.deepEqual([...png.slice(-4)], [0xae, 0x42, 0x60, 0x82]);
  assert.throws(() => encodePng({ width: 2, height: 2, data: new Uint8Array(8) }), RangeError);
});

Deno.test("shownPixels() gives back the pixels that preprocess() normalised", async () => {
  const file = "tests/fixtures/data/images/size225x300.jpg";
  const image = await decodeImage(await Deno.readFile(file), file);
  const spec = preprocessSchema.parse({
    resize: { width: 48, height: 40 },
    interpolation: "bilinear",
    crop: null,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
  const size = outputSize(spec, image);
  const shown = shownPixels(preprocess(image, spec), { spec, ...size });
  const resized = resize(image, size, { interpolation: "bilinear" });
  assert.deepEqual(shown.data, resized.data);
});
