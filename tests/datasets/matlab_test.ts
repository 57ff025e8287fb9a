import assert from "node:assert/strict";
import { parseMatlab } from "../../lib/datasets/_matlab.ts";

const fixture = (name: string) => Deno.readFile(`tests/fixtures/data/devkit/${name}`);

Deno.test("parseMatlab() reads what SciPy wrote", async () => {
  const { text, ...arrays } = JSON.parse(
    new TextDecoder().decode(await fixture("kinds.json")),
  );
  const variables = parseMatlab(await fixture("kinds.mat"));
  assert.equal(variables.get("text"), text);
  for (const [name, values] of Object.entries(arrays)) {
    assert.deepEqual(variables.get(name), values, name);
  }
});

Deno.test("parseMatlab() reads structs, compressed or not", async () => {
  const compressed = parseMatlab(await fixture("meta.mat"));
  assert.deepEqual(parseMatlab(await fixture("meta_uncompressed.mat")), compressed);
  const synsets = compressed.get("synsets");
  assert.ok(Array.isArray(synsets));
  assert.deepEqual(synsets[4], {
    ILSVRC2012_ID: [5],
    WNID: "n02084071",
    words: "dog, domestic dog",
    gloss: "a gloss",
    num_children: [2],
    children: [1, 2],
    wordnet_height: [0],
  });
});

Deno.test("parseMatlab() refuses other files and kinds", async () => {
  assert.throws(() => parseMatlab(new Uint8Array(500)), /no little-endian MATLAB 5 file/);
  const cell = await fixture("cell.mat");
  assert.throws(() => parseMatlab(cell), /an array is of class 1;/);
});

Deno.test("parseMatlab() refuses a file cut short or with a claimed length too large", async () => {
  const bytes = await fixture("meta_uncompressed.mat");
  assert.throws(() => parseMatlab(bytes.subarray(0, bytes.length - 40)), /claims \d+ bytes/);
  const large = bytes.slice();
  new DataView(large.buffer).setUint32(132, 0x7fffffff, true);
  assert.throws(() => parseMatlab(large), /claims 2147483647 bytes/);
  const compressed = await fixture("meta.mat");
  assert.throws(() => parseMatlab(compressed.subarray(0, compressed.length - 40)));
});
