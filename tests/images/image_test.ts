import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { UserError } from "../../lib/files/mod.ts";
import { decodeImage, UnreadableImageError } from "../../lib/images/mod.ts";

const fixtures = "tests/fixtures/data";

interface Reference {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  /** Row, column, red, green, blue. */
  readonly samples: readonly (readonly [number, number, number, number, number])[];
}

/** A file that Pillow reads and the decoder does not. */
interface Refused {
  readonly file: string;
  readonly refused: string;
}

const { images, notRead }: { images: Reference[]; notRead: Refused[] } = JSON.parse(
  await Deno.readTextFile(`${fixtures}/images.json`),
);

for (const { file, refused } of notRead) {
  Deno.test(`decodeImage() refuses ${file} by the name of its kind`, async () => {
    const { reason, message } = await unreadable(
      await Deno.readFile(`${fixtures}/images_not_read/${file}`),
    );
    assert.ok(reason.startsWith("it is a") && reason.includes(refused), reason);
    assert.match(message, /Convert it to PNG, or set "unreadable" to "skip"/);
  });
}

for (const { file, width, height, sha256, samples } of images) {
  Deno.test(`decodeImage() gives Pillow's pixels of ${file}`, async () => {
    const image = await decodeImage(await Deno.readFile(`${fixtures}/images/${file}`), file);
    assert.deepEqual([image.width, image.height], [width, height]);
    for (const [row, column, ...rgb] of samples) {
      const at = (row * width + column) * 3;
      assert.deepEqual([...image.data.subarray(at, at + 3)], rgb);
    }
    assert.equal(createHash("sha256").update(image.data).digest("hex"), sha256);
  });
}

async function unreadable(bytes: Uint8Array): Promise<UnreadableImageError> {
  try {
    await decodeImage(bytes, "d/broken.jpg");
  } catch (error) {
    assert.ok(error instanceof UnreadableImageError && error instanceof UserError, String(error));
    assert.equal(error.id, "d/broken.jpg");
    assert.match(
      error.message,
      /^Cannot read the image d\/broken\.jpg: .*(Restore the file|Convert it)/,
    );
    return error;
  }
  assert.fail("the bytes were decoded");
}

Deno.test("decodeImage() refuses an empty file and what is no image", async () => {
  assert.match((await unreadable(new Uint8Array(0))).reason, /^the file is empty$/);
  const text = new TextEncoder().encode("<html>not found</html>");
  assert.match((await unreadable(text)).reason, /no image file that is known/);
});

for (
  const file of [
    "quality75.jpg",
    "progressive.jpg",
    "cmyk.jpg",
    "rgb.png",
    "grey16bit.png",
    "lzw.tif",
  ]
) {
  Deno.test(`decodeImage() refuses ${file} cut short anywhere`, async () => {
    const bytes = await Deno.readFile(`${fixtures}/images/${file}`);
    for (const share of [0.01, 0.3, 0.6, 0.9]) {
      const { reason } = await unreadable(bytes.subarray(0, Math.floor(bytes.length * share)));
      assert.doesNotMatch(reason, /^\w+:|\n/);
    }
  });
}

Deno.test("decodeImage() refuses vectors and other formats that Pillow would not read", async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>';
  await unreadable(new TextEncoder().encode(svg));
});
