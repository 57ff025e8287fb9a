import assert from "node:assert/strict";
import {
  closure,
  createGraph,
  groupOf,
  loadValue,
  MissingNeed,
  missingNodes,
  refOf,
  type StageNode,
  stageNode,
} from "../../lib/pipeline/mod.ts";
import { conceptsKind, featuresKind, shotsKind } from "../../lib/pipeline/stages/mod.ts";
import { openStore } from "../../lib/store/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const store = async () => openStore(await temporaryFolder());

/** Nodes a -> b -> d and a -> c -> d, which nobody computes. */
function diamond(input = 1, version = 1) {
  const graph = createGraph();
  const node = (id: string, needs: Record<string, StageNode>, own: number): StageNode =>
    graph.stage<Record<string, unknown>, unknown, unknown, unknown>(
      { ...shotsKind, version } as never,
      { id, inputs: { own }, needs, how: { of: id }, work: "" },
    );
  const a = node("a", {}, input);
  const b = node("b", { a }, 10);
  const c = node("c", { a }, 100);
  const d = node("d", { b, c }, 1000);
  return { nodes: graph.nodes, a, b, c, d };
}

const ids = (nodes: readonly StageNode[]) => nodes.map(({ id }) => id);
const store1 = new TextEncoder().encode("[]");

Deno.test("stageNode() keys by kind, version, inputs and needed keys, not by id, work or how", () => {
  const { nodes, a, b, d } = diamond();
  const same = diamond();
  assert.deepEqual([same.a.key, same.d.key], [a.key, d.key]);
  assert.equal(nodes.size, 4);
  assert.notEqual(diamond(2).a.key, a.key);
  assert.notEqual(diamond(2).d.key, d.key, "by its needs");
  assert.notEqual(diamond(1, 2).a.key, a.key);
  const spec = { id: "x", inputs: { own: 10 }, needs: { a }, how: null, work: "other" };
  const kind = { name: "shots", version: 1 };
  assert.equal(
    stageNode<Record<string, unknown>, unknown, unknown, unknown>(kind, spec).key,
    b.key,
  );
  const other = { ...kind, name: "classes" };
  assert.notEqual(
    stageNode<Record<string, unknown>, unknown, unknown, unknown>(other, spec).key,
    b.key,
  );
});

Deno.test("closure() has each node once, after the ones that it needs", () => {
  const { nodes, b, d } = diamond();
  assert.deepEqual(ids(closure(nodes, [d.key])), ["a", "b", "c", "d"]);
  assert.deepEqual(ids(closure(nodes, [b.key, d.key])), ["a", "b", "c", "d"]);
  assert.deepEqual(ids(closure(nodes, [b.key])), ["a", "b"]);
  assert.throws(() => closure(nodes, ["0".repeat(64)]), /no stage 0000/);
});

Deno.test("missingNodes() does not look at what a stored node needed, unless it is damaged", async () => {
  const { nodes, a, b, d } = diamond();
  const stored = await store();
  const missing = async (damaged?: ReadonlySet<string>) =>
    ids(await missingNodes(nodes, [d.key], { store: stored, damaged }));
  assert.deepEqual(await missing(), ["a", "b", "c", "d"]);
  await stored.write(refOf(b), store1);
  assert.deepEqual(await missing(), ["a", "c", "d"]);
  await stored.write(refOf(d), store1);
  assert.deepEqual(await missing(), []);
  assert.deepEqual(await missing(new Set([d.key])), ["a", "c", "d"]);
  await stored.write(refOf(a), store1);
  assert.deepEqual(await missing(new Set([d.key])), ["c", "d"]);
});

Deno.test("loadValue() names the key of a stage that is missing or corrupt", async () => {
  const { a } = diamond();
  const stored = await store();
  const isMissing = (error: unknown) => error instanceof MissingNeed && error.key === a.key;
  await assert.rejects(loadValue(a, stored), isMissing);
  await stored.write(refOf(a), store1);
  assert.deepEqual(await loadValue(a, stored), []);
  await Deno.writeTextFile(`${stored.root}/shots/${a.key.slice(0, 2)}/${a.key}`, "damage");
  await assert.rejects(loadValue(a, stored), isMissing);
});

Deno.test("groupOf() joins features of one model and output, and single artifacts never", () => {
  const of = (model: string, output: string, format: string) =>
    stageNode(featuresKind, {
      id: "features",
      inputs: {
        of: { format: format as "broden" },
        model,
        output,
        device: "cpu",
        runtime: "",
        decoder: "",
      },
      needs: { files: { ...diamond().a } },
      how: { model: { type: "vl", config: { name: "", folder: "" }, hubFolder: "" }, batch: 1 },
      work: "",
    });
  const group = groupOf(of("a", "x", "broden"));
  assert.equal(groupOf(of("a", "x", "folder")), group);
  assert.notEqual(groupOf(of("b", "x", "broden")), group);
  assert.notEqual(groupOf(of("a", "y", "broden")), group);
  const { b, c } = diamond();
  assert.notEqual(groupOf(b), groupOf(c));
  assert.notEqual(groupOf({ ...b, kind: conceptsKind.name }), groupOf(b));
});
