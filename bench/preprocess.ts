/**
 * Decoding and preprocessing a photograph-sized JPEG, images per second; the peer is
 * bench/preprocess.py (Pillow and torchvision, one thread).
 *
 *     deno run --allow-all bench/preprocess.ts
 */
import sharp from "sharp";
import type { PreprocessSpec } from "../lib/config/mod.ts";
import { mapBounded } from "../lib/files/mod.ts";
import { decodeImage, preprocess } from "../lib/images/mod.ts";

const spec: PreprocessSpec = {
  resize: { shorter: 256 },
  interpolation: "bilinear",
  crop: 224,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

const source = "tests/fixtures/data/images/size301x224.jpg";
const bytes = await sharp(source).resize(500, 375, { fit: "fill" }).jpeg({ quality: 92 })
  .toBuffer();

async function rate(work: () => Promise<unknown>): Promise<string> {
  const count = 400;
  const start = performance.now();
  const map = () => work();
  await Array.fromAsync(mapBounded(new Array(count).keys(), { concurrency: 16, map }));
  return `${(count / (performance.now() - start) * 1000).toFixed(0)} images/s`;
}

const image = await decodeImage(bytes, "photograph");
await rate(async () => preprocess(await decodeImage(bytes, "photograph"), spec));
console.log("decode           ", await rate(() => decodeImage(bytes, "photograph")));
console.log("preprocess       ", await rate(() => Promise.resolve(preprocess(image, spec))));
console.log(
  "decode+preprocess",
  await rate(async () => {
    preprocess(await decodeImage(bytes, "photograph"), spec);
  }),
);
