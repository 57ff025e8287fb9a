import { mapBounded } from "../files/mod.ts";
import type { Store } from "../store/mod.ts";
import {
  MissingNeed,
  type NodeSpec,
  type Stage,
  type StageKind,
  type StageNode,
  stageNode,
} from "./stage.ts";
import { stageKinds } from "./stages/mod.ts";

/** The nodes of a plan by key, each after the ones it needs. */
export type Graph = ReadonlyMap<string, StageNode>;

/** Nodes under construction; what is added twice is there once. */
export interface GraphBuilder {
  readonly nodes: Graph;
  /** The node of a kind; its needs were added before. */
  readonly stage: <Needs, Inputs, How, Value>(
    kind: StageKind<Needs, Inputs, How, Value>,
    spec: NodeSpec<Needs, Inputs, How>,
  ) => Stage<Value>;
}

/** A graph without nodes. */
export function createGraph(): GraphBuilder {
  const nodes = new Map<string, StageNode>();
  return {
    nodes,
    stage: <Needs, Inputs, How, Value>(
      kind: StageKind<Needs, Inputs, How, Value>,
      spec: NodeSpec<Needs, Inputs, How>,
    ) => {
      const node = stageNode<Needs, Inputs, How, Value>(kind, spec);
      if (!nodes.has(node.key)) nodes.set(node.key, node);
      return node;
    },
  };
}

/** The node of a key. */
export function nodeOf(graph: Graph, key: string): StageNode {
  const node = graph.get(key);
  if (node === undefined) throw new Error(`The plan has no stage ${key}.`);
  return node;
}

/** Some nodes of a graph and all that they need, each after its needs. */
export function closure(graph: Graph, targets: Iterable<string>): StageNode[] {
  const ordered = new Map<string, StageNode>();
  const visit = (key: string): void => {
    if (ordered.has(key)) return;
    const node = nodeOf(graph, key);
    Object.values(node.needs).forEach(visit);
    ordered.set(key, node);
  };
  for (const target of targets) visit(target);
  return [...ordered.values()];
}

/**
 * The nodes that must run before every target is in the store, each after the ones it needs. What a
 * stored node needed is not looked at.
 *
 * @param damaged keys of nodes whose stored values turned out to be unreadable.
 */
export async function missingNodes(
  graph: Graph,
  targets: Iterable<string>,
  { store, damaged = new Set() }: {
    readonly store: Store;
    readonly damaged?: ReadonlySet<string> | undefined;
  },
): Promise<StageNode[]> {
  const stored = new Map<string, boolean>();
  let wave = [...new Set(targets)];
  while (wave.length > 0) {
    const looked = mapBounded(wave, {
      concurrency: 64,
      map: async (key) =>
        [key, !damaged.has(key) && await isStored(nodeOf(graph, key), store)] as const,
    });
    for await (const [key, isThere] of looked) stored.set(key, isThere);
    const needed = wave.filter((key) => !stored.get(key))
      .flatMap((key) => Object.values(nodeOf(graph, key).needs));
    wave = [...new Set(needed)].filter((key) => !stored.has(key));
  }
  return [...graph.values()].filter(({ key }) => stored.get(key) === false);
}

/** Whether the value of a node is in the store. */
export function isStored(node: StageNode, store: Store): Promise<boolean> {
  return kindOf(node).isStored(node, store);
}

/**
 * The value of a node from the store.
 *
 * @throws {MissingNeed} when it is not there or damaged.
 */
export async function loadValue<T>(node: Stage<T>, store: Store): Promise<T> {
  const value = await kindOf(node).load(node, store);
  if (value === undefined) throw new MissingNeed(node.key);
  return value as T;
}

/** The keys of the targets whose values are not in the store or damaged; every one is read. */
export async function unreadable(
  graph: Graph,
  targets: Iterable<string>,
  store: Store,
): Promise<string[]> {
  const keys: string[] = [];
  for (const key of new Set(targets)) {
    const node = nodeOf(graph, key);
    if (await kindOf(node).load(node, store) === undefined) keys.push(key);
  }
  return keys;
}

/** The kind of a node. */
export function kindOf({ kind }: StageNode) {
  const found = stageKinds.get(kind);
  if (found === undefined) throw new Error(`There is no kind of stage "${kind}".`);
  return found;
}

/** Nodes that a worker computes in one go. */
export function groupOf(node: StageNode): string {
  return `${node.kind} ${kindOf(node).group(node as never)}`;
}
