import assert from "node:assert/strict";
import { loadWeights, readPth } from "../../../lib/models/weights/mod.ts";

const fixtures = new URL("../../fixtures/models/pth/", import.meta.url).pathname;
const reference = JSON.parse(await Deno.readTextFile(`${fixtures}reference.json`)) as Record<
  string,
  Record<string, { shape: number[]; values: number[] }>
>;

for (const [file, expected] of Object.entries(reference)) {
  Deno.test(`loadWeights() reads ${file} as PyTorch does`, async () => {
    const { tensors } = await loadWeights(`${fixtures}${file}`);
    assert.deepEqual([...tensors.keys()], Object.keys(expected));
    for (const [name, { shape, values }] of Object.entries(expected)) {
      assert.deepEqual(tensors.get(name)!.shape, shape, name);
      assert.deepEqual(tensors.get(name)!.data, Float32Array.from(values), name);
    }
  });
}

Deno.test("loadWeights() reads the tensors alone that are wanted", async () => {
  for (const [file, expected] of Object.entries(reference)) {
    const wanted = Object.keys(expected)[0]!;
    const { tensors } = await loadWeights(`${fixtures}${file}`, {
      only: (name) => name === wanted,
    });
    assert.deepEqual(tensors.get(wanted)!.data, Float32Array.from(expected[wanted]!.values), file);
    if (/zip\.pth$/.test(file)) assert.deepEqual([...tensors.keys()], [wanted]);
  }
});

Deno.test("loadWeights() checks the SHA-1 of the file inside a .pth.zip", async () => {
  // sha1sum of legacy.pth, which packed.pth.zip holds.
  const sha1 = "5718fc0dd27711eff4876560084331cb8edafd56";
  await loadWeights(`${fixtures}packed.pth.zip`, { sha1 });
  await assert.rejects(
    loadWeights(`${fixtures}packed.pth.zip`, { sha1: sha1.replace(/^./, "0") }),
    { name: "UserError", message: /SHA-1 0.*found/ },
  );
});

Deno.test("readPth() shares the memory of tensors that share a storage", async () => {
  const { tensors } = await readPth(await Deno.readFile(`${fixtures}zip.pth`));
  const { contiguous, rows } = Object.fromEntries(tensors);
  assert.equal(rows!.data.buffer, contiguous!.data.buffer);
});

// Every byte of the smallest file; of the others a step that meets every kind of field.
const steps = { "view.pth": 1, "zip.pth": 7, "legacy.pth": 3, "tar.pth": 11 };

for (const [file, step] of Object.entries(steps)) {
  Deno.test(`readPth() refuses ${file} cut off anywhere`, async () => {
    const bytes = await Deno.readFile(`${fixtures}${file}`);
    // A tar ends in blocks of zeros that carry nothing; cutting those is harmless.
    const end = file === "tar.pth" ? bytes.findLastIndex((byte) => byte !== 0) : bytes.length;
    for (let length = 0; length < end; length += step) {
      await assert.rejects(readPth(bytes.slice(0, length)), Error, `${length}`);
    }
  });

  Deno.test(`readPth() survives a changed byte anywhere in ${file}`, async () => {
    const bytes = await Deno.readFile(`${fixtures}${file}`);
    for (let at = 0; at < bytes.length; at += step) {
      const changed = bytes.slice();
      changed[at]! ^= 0xff;
      // A changed weight cannot be told without a hash; anything else must end in an error.
      await readPth(changed).catch((error) => assert.ok(error instanceof Error));
    }
  });
}
