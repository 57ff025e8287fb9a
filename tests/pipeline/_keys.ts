import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import {
  buildPlan,
  createGraph,
  loadExperiment,
  loadProfile,
  type PlanRequest,
  type StageNode,
} from "../../lib/pipeline/mod.ts";
import { planExperiment } from "../../lib/pipeline/plan_experiment.ts";
import { planModels } from "../../lib/pipeline/plan_models.ts";
import { openDigests } from "../../lib/store/mod.ts";
import { edit } from "../cli/_mini_root.ts";
import { temporaryFolder } from "../_temporary.ts";

/** One change and what it must renew; whatever else there is must keep its key. */
export interface Row<Name extends string> {
  readonly renews?: readonly Name[];
  /** Where of these stages only some are renewed, the ids of those. */
  readonly where?: RegExp;
  /** What it adds, while all that was there keeps its key. */
  readonly adds?: readonly Name[];
  readonly change?: (root: string) => Promise<unknown>;
  readonly request?: Partial<PlanRequest>;
}

export type Json = Parameters<Parameters<typeof edit>[1]>[0];

/** Changes a file of configs/. */
export const configs = (path: string, change: (json: Json) => void) => (root: string) =>
  edit(join(root, "configs", path), change);

export const assumed = (value: unknown) => ({ value, source: "assumed", why: "A test." });

export async function copyOf(root: string): Promise<string> {
  const copy = await temporaryFolder("keys-");
  await cp(root, copy, { recursive: true });
  return copy;
}

/** The nodes of the plan of a root; a device that is not here is planned for all the same. */
async function nodesOf(
  root: string,
  changed: Partial<PlanRequest> & Pick<PlanRequest, "experiments">,
): Promise<StageNode[]> {
  const request: PlanRequest = {
    root,
    profile: "world",
    engine: "ort",
    device: "cpu",
    ...changed,
  };
  const digests = openDigests(join(root, ".cache"));
  if (request.device === "cpu") {
    const { graph } = await buildPlan(request, { digests });
    // What only checks the names that are shown makes no number.
    return [...graph.values()].filter(({ kind }) => kind !== "shown_concepts");
  }
  const profile = await loadProfile(root, request.profile);
  const graph = createGraph();
  const models = planModels({ root, profile, digests });
  const engine = { name: request.engine, device: request.device, description: "another" };
  const laidOut = {
    located: new Map(),
    data: new Map(),
    classes: new Map(),
    rows: new Map(),
    prompts: new Map(),
  };
  for (const id of request.experiments) {
    const context = { request, profile, engine, models, digests, graph, laidOut };
    await planExperiment(await loadExperiment(root, id), context);
  }
  return [...graph.nodes.values()];
}

/** Tests that each change of a root renews the keys of the stages that it must, and no others. */
export async function testKeys<Name extends string>(
  title: string,
  { root, stages, table, experiments }: {
    readonly root: string;
    /** What stages are called in the table, by their ids. */
    readonly stages: Readonly<Record<Name, RegExp>>;
    readonly table: Readonly<Record<string, Row<Name>>>;
    readonly experiments: readonly string[];
  },
): Promise<void> {
  const all = Object.keys(stages) as Name[];
  const namesOf = ({ id }: StageNode) =>
    all.filter((name) => stages[name].test(`${id} `) || stages[name].test(id));
  const base = await nodesOf(root, { experiments });
  Deno.test(`buildPlan() of ${title} has each kind of stage under one name`, () => {
    for (const node of base) assert.equal(namesOf(node).length, 1, node.id);
    assert.deepEqual(new Set(base.flatMap(namesOf)), new Set(all));
  });
  for (const [change, row] of Object.entries<Row<Name>>(table)) {
    Deno.test(`buildPlan() of ${title} gives new keys to what "${change}" changes, and to nothing else`, async () => {
      const copy = await copyOf(root);
      await row.change?.(copy);
      const changed = await nodesOf(copy, { experiments, ...row.request });
      check(base, changed, { ...row, namesOf });
      await Deno.remove(copy, { recursive: true });
    });
  }
}

function check<Name extends string>(
  base: readonly StageNode[],
  changed: readonly StageNode[],
  row: Row<Name> & { readonly namesOf: (node: StageNode) => readonly Name[] },
): void {
  const { renews = [], adds = [], where = /^/, namesOf } = row;
  const before = new Set(base.map(({ key }) => key));
  const fresh = new Set(changed.filter(({ key }) => !before.has(key)).map(({ key }) => key));
  const idsOf = (nodes: readonly StageNode[]) => nodes.map(({ id }) => id).sort();
  const renewed = changed.filter(({ key }) => fresh.has(key));
  if (adds.length > 0) {
    const after = new Set(changed.map(({ key }) => key));
    const added = new Set(renewed.flatMap(namesOf));
    assert.deepEqual([...added].sort(), adds.toSorted());
    if (row.request?.experiments !== undefined) return;
    assert.deepEqual(idsOf(base.filter(({ key }) => !after.has(key))), [], "lost");
    return;
  }
  const expected = changed.filter((node) =>
    namesOf(node).some((name) => renews.includes(name)) && where.test(node.id)
  );
  assert.deepEqual(idsOf(renewed), idsOf(expected));
  for (const name of renews) assert.ok(expected.some((node) => namesOf(node).includes(name)), name);
}
