import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { UserError } from "../../../lib/files/mod.ts";
import { loadWeights } from "../../../lib/models/weights/mod.ts";

/** What tools/fixtures/checkpoints.py wrote with PyTorch. */
interface Case {
  readonly name: string;
  readonly ending: string;
  readonly bytes: string;
  readonly tensors?: Readonly<Record<string, { shape: number[]; values: string[] }>>;
  readonly remarks?: readonly string[];
  readonly refused?: string;
}

const fixture = new URL("../../fixtures/models/checkpoints.json.gz", import.meta.url);
const cases = JSON.parse(gunzipSync(await Deno.readFile(fixture)).toString()) as readonly Case[];

Deno.test("loadWeights() reads checkpoints as PyTorch does, or says what it does not read", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    for (const { name, ending, bytes, tensors, remarks, refused } of cases) {
      await t.step(name, async () => {
        const path = `${folder}/weights${ending}`;
        await Deno.writeFile(path, Uint8Array.fromBase64(bytes));
        if (refused !== undefined) {
          await assert.rejects(loadWeights(path), (error) => {
            assert.ok(error instanceof UserError);
            assert.match(error.message, new RegExp(refused));
            return true;
          });
          return;
        }
        const weights = await loadWeights(path);
        assert.deepEqual(weights.remarks, remarks);
        assert.deepEqual([...weights.tensors.keys()].sort(), Object.keys(tensors!).sort());
        for (const [key, { shape, values }] of Object.entries(tensors!)) {
          const read = weights.tensors.get(key)!;
          assert.deepEqual(read.shape, shape, key);
          assert.deepEqual(read.data, Float32Array.from(values, numberOf), key);
        }
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Python's way of writing a number. */
function numberOf(text: string): number {
  return text.includes("inf") ? Number(text.replace("inf", "Infinity")) : Number(text);
}
