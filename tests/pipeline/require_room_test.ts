import assert from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import { requireRoom, type StageNode } from "../../lib/pipeline/mod.ts";

const room = { storeRoot: "/store", freeBytes: 1e9, memoryBytes: 16e9 };

/** A stage that stores `bytes` and loads a model of `parameters`. */
function node(id: string, bytes: number, parameters: number): StageNode {
  const estimate = { images: 1, multiplyAdds: 1, bytes, parameters };
  return { kind: "features", key: id, id, inputs: null, needs: {}, how: null, work: "", estimate };
}

function refuses(nodes: readonly StageNode[], sentence: RegExp): void {
  assert.throws(
    () => requireRoom(nodes, room),
    (error: Error) => error instanceof UserError && sentence.test(error.message),
  );
}

Deno.test("requireRoom() adds up what is stored, and takes the models one by one", () => {
  requireRoom([node("a", 5e8, 1e9), node("b", 5e8, 1e9)], room);
  refuses([node("a", 5e8, 1), node("b", 6e8, 1)], /will store 1\.1 GB .* \/store, .* has 1\.0 GB/);
  refuses([node("a", 0, 1), node("b", 0, 2e9)], /"b" loads .* takes 24\.0 GB .* has 16\.0 GB/);
});
