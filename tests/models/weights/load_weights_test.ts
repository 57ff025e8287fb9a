import assert from "node:assert/strict";
import { UserError } from "../../../lib/files/mod.ts";
import { loadWeights } from "../../../lib/models/weights/mod.ts";
import { tensor, writeSafetensors } from "../../../lib/tensor/mod.ts";

const reference = new URL("../../fixtures/tensor/reference.safetensors", import.meta.url).pathname;
// sha256sum and sha1sum of the fixture.
const SHA256 = "adf67e4953c48a2a441cb793fb24fd1f4d62e611c0cf246e40014afc3265fe8e";
const SHA1 = "0b95af923d9fe63fd9036dc62d63c5be7e3aecaf";

Deno.test("loadWeights() reads safetensors whose hashes are as expected", async () => {
  const { tensors } = await loadWeights(reference, {
    sha256: SHA256.toUpperCase(),
    sha256Prefix: SHA256.slice(0, 8),
    sha1: SHA1,
  });
  assert.deepEqual(tensors.get("int64")!.data, Float32Array.of(0, -7, 123456));
});

Deno.test("loadWeights() refuses a wrong hash before it parses, and says which", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/x.safetensors`;
    const bytes = writeSafetensors(new Map([["x", tensor([], Float32Array.of(1))]]), {}, {
      dtype: "F32",
    });
    await Deno.writeFile(path, bytes.subarray(0, 5));
    for (const expected of [{ sha256: SHA256 }, { sha256Prefix: "f37072fd" }, { sha1: SHA1 }]) {
      const [value] = Object.values(expected);
      await assert.rejects(loadWeights(path, expected), (error: Error) => {
        assert.ok(error instanceof UserError);
        assert.ok(error.message.includes(path) && error.message.includes(value!), error.message);
        assert.match(error.message, /found [0-9a-f]{8,64};.*fetch it again/);
        return true;
      });
    }
    await assert.rejects(loadWeights(path), /x\.safetensors: .*has 5 bytes/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadWeights() names a missing file and an ending it cannot read", async () => {
  await assert.rejects(loadWeights("/none/x.pth"), { name: "UserError", message: /no such file/ });
  const script = new URL(import.meta.url).pathname;
  await assert.rejects(loadWeights(script), { name: "UserError", message: /must end in/ });
});
