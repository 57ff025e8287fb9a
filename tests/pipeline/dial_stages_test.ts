import assert from "node:assert/strict";
import { allRows, type FeatureRows, featureRows } from "../../lib/activations/mod.ts";
import type { StageContext, StageKind, StageNode } from "../../lib/pipeline/mod.ts";
import { centredKind, mismatchedKind } from "../../lib/pipeline/stages/mod.ts";
import { openStore } from "../../lib/store/mod.ts";
import { createRandom, norm, row, type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const random = createRandom("dial stages test");
const matrix = (rows: number) =>
  tensor([rows, 3], Float32Array.from({ length: 3 * rows }, () => 1 + random.normal()));
const sources = { vl0: matrix(150), vl1: matrix(70) };

/** The value of a node of a kind, computed and read again from a store. */
async function valueOf<Needs, Inputs>(
  kind: StageKind<Needs, Inputs, null, FeatureRows>,
  { inputs, needs }: { readonly inputs: Inputs; readonly needs: Readonly<Record<string, Tensor>> },
): Promise<Tensor> {
  const store = openStore(await temporaryFolder());
  const node = {
    kind: kind.name,
    key: "0".repeat(64),
    id: "",
    inputs,
    how: null,
    needs: Object.fromEntries(Object.keys(needs).map((role) => [role, role])),
    work: "",
  } as unknown as StageNode & { readonly inputs: Inputs; readonly how: null };
  const need = (_: StageNode, role: string) => Promise.resolve(featureRows(needs[role]!));
  const signal = new AbortController().signal;
  await kind.run([node], { store, need, signal } as unknown as StageContext<Needs>);
  return await allRows((await kind.load(node, store))!);
}

Deno.test("centredKind takes the share of the mean over all sources off rows of unit length", async () => {
  const all = [...sources.vl0.data, ...sources.vl1.data];
  const unit = Array.from({ length: 220 }, (_, i) => {
    const vector = all.slice(3 * i, 3 * i + 3);
    return vector.map((x) => x / norm(vector));
  });
  const mean = [0, 1, 2].map((j) => unit.reduce((sum, vector) => sum + vector[j]! / 220, 0));
  for (const [source, first, count] of [[0, 0, 150], [1, 150, 70]] as const) {
    const inputs = { share: 0.5, source };
    const centred = await valueOf(centredKind, { inputs, needs: sources });
    assert.deepEqual(centred.shape, [count, 3]);
    for (let i = 0; i < count; i++) {
      row(centred, i).forEach((x, j) =>
        assert.ok(Math.abs(x - (unit[first + i]![j]! - mean[j]! / 2)) < 1e-6)
      );
    }
  }
});

Deno.test("mismatchedKind gives the share of images that is asked for the row of another", async () => {
  const needs = { rows: sources.vl0 };
  const mismatched = await valueOf(mismatchedKind, { inputs: { share: 0.3 }, needs });
  const own = Array.from({ length: 150 }, (_, i) => row(sources.vl0, i).join());
  const after = Array.from({ length: 150 }, (_, i) => row(mismatched, i).join());
  assert.equal(after.filter((of, i) => of !== own[i]).length, 45);
  assert.deepEqual(after.toSorted(), own.toSorted());
});
