import assert from "node:assert/strict";
import sharp, { type Sharp } from "sharp";
import { decodeImage } from "../../lib/images/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";

const writers = {
  png: (image: Sharp) => image.png(),
  "interlaced png": (image: Sharp) => image.png({ progressive: true }),
  webp: (image: Sharp) => image.webp({ lossless: true }),
  "lzw tiff": (image: Sharp) => image.tiff({ compression: "lzw" }),
  "deflate tiff": (image: Sharp) => image.tiff({ compression: "deflate", predictor: "none" }),
  "plain tiff": (image: Sharp) => image.tiff({ compression: "none" }),
};

for (const [format, write] of Object.entries(writers)) {
  Deno.test(`decodeImage() gives back the pixels that were written as ${format}`, async () => {
    const random = createRandom(format);
    for (let round = 0; round < 15; round++) {
      const [width, height] = [1 + random.integer(40), 1 + random.integer(40)];
      const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256));
      const image = sharp(data, { raw: { width, height, channels: 3 } });
      const read = await decodeImage(await write(image).toBuffer(), format);
      assert.deepEqual([read.width, read.height], [width, height]);
      assert.deepEqual(new Uint8Array(read.data), data);
    }
  });
}
