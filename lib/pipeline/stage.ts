import type { Device } from "../onnx/mod.ts";
import { type ArtifactRef, contentKey, type Json, type Store } from "../store/mod.ts";
import { readSafetensors, type Tensor, writeSafetensors } from "../tensor/mod.ts";

/**
 * One step of a plan, as data: it can be sent to a worker or written to a file. Its key is the hash
 * of everything that its value depends on, so plans that need the same step share it.
 */
export interface StageNode {
  /** Which kind of stage computes it; see {@linkcode StageKind}. */
  readonly kind: string;
  readonly key: string;
  /** For people: names the levels of the factors that matter, such as "features resnet18 broden". */
  readonly id: string;
  /** What the value depends on besides the needed stages. */
  readonly inputs: Json;
  /** The keys of the stages that this one needs, by the role that they play in it. */
  readonly needs: Readonly<Record<string, string>>;
  /** Where things are and how work is cut; nothing of it changes the value. */
  readonly how: Json;
  /** The estimated work, in words. */
  readonly work: string;
  readonly estimate?: Estimate | undefined;
}

/** The work of a stage in numbers, as far as they are known beforehand; what is left out is small. */
export interface Estimate {
  /** Images that are rendered, or that a model runs on, at most. */
  readonly images?: number;
  readonly multiplyAdds?: number;
  /** Multiply-adds that the nodes of one group do once. */
  readonly shared?: number;
  /** Bytes that the stage stores. */
  readonly bytes?: number;
  /** Bytes of memory that it holds at once: its model and the largest matrices. */
  readonly memory?: number;
}

/** A node whose value is a `T`. The type parameter exists for the compiler only. */
export interface Stage<T> extends StageNode {
  readonly value?: T;
}

/** A share of the blocks of large stages: every `count`th, from `index`, so that machines share them. */
export interface Slice {
  readonly index: number;
  readonly count: number;
}

/** Whether a block, by its number, is in a slice. */
export function inSlice(block: number, slice: Slice | undefined): boolean {
  return slice === undefined || block % slice.count === slice.index;
}

/** What the stages of a kind may use while they compute; nothing of it changes the result. */
export interface StageContext<Needs> {
  readonly store: Store;
  /** onnxruntime's execution provider. */
  readonly device: Device;
  /** Threads for one model session. */
  readonly threads: number;
  readonly signal: AbortSignal;
  /** Which blocks to compute; all, and what marks them as complete, when left out. */
  readonly slice?: Slice | undefined;
  /**
   * The value of a stage that a node needs, from the store.
   *
   * @throws {MissingNeed} when it is not there or damaged; only the scheduler computes.
   */
  readonly need: <Role extends keyof Needs & string>(
    node: StageNode,
    role: Role,
  ) => Promise<NonNullable<Needs[Role]>>;
  /** Says in a sentence what a user should know of the nodes' values; kept with them. */
  readonly remark: (sentence: string) => void;
  /** Tells how much of the current work is done, in its own unit. */
  readonly onProgress: (done: number, total: number) => void;
}

/** A stage needs a value that is not in the store; whoever schedules computes it first. */
export class MissingNeed extends Error {
  override readonly name = "MissingNeed";
  constructor(readonly key: string) {
    super(`The store lacks the stage ${key}.`);
  }
}

/** How the values of stages of one kind are stored and computed. */
export interface StageKind<Needs, Inputs, How, Value> {
  readonly name: string;
  /** Raised whenever the code of the kind may make other bytes of the same inputs. */
  readonly version: number;
  /** Whether it is quick and may find a mistake of the user's: such stages run before others. */
  readonly isCheck?: boolean | undefined;
  /** Whether it minds {@linkcode StageContext.slice}. */
  readonly inBlocks?: boolean | undefined;
  readonly isStored: (node: StageNode, store: Store) => Promise<boolean>;
  /** The value from the store, or `undefined`. */
  readonly load: (node: StageNode, store: Store) => Promise<Value | undefined>;
  /** Nodes of equal groups share what they load, so a worker computes them in one go. */
  readonly group: (node: TypedNode<Inputs, How>) => string;
  /** Computes and stores the values of nodes of one group. */
  readonly run: (
    nodes: readonly TypedNode<Inputs, How>[],
    context: StageContext<Needs>,
  ) => Promise<void>;
}

/** A node with the types of its kind. */
export type TypedNode<Inputs, How> = StageNode & { readonly inputs: Inputs; readonly how: How };

/** What a planner says of a node. */
export interface NodeSpec<Needs, Inputs, How> {
  readonly id: string;
  readonly inputs: Inputs;
  readonly needs: { readonly [Role in keyof Needs]: Stage<Needs[Role]> };
  readonly how: How;
  readonly work: string;
  readonly estimate?: Estimate | undefined;
}

/** The node of a kind; its key follows from the kind's version, the inputs and the needed keys. */
export function stageNode<Needs, Inputs, How, Value>(
  { name, version }: Pick<StageKind<Needs, Inputs, How, Value>, "name" | "version">,
  { id, inputs, needs, how, work, estimate }: NodeSpec<Needs, Inputs, How>,
): Stage<Value> {
  const needed = Object.fromEntries(
    Object.entries<Stage<unknown>>(needs).map(([role, { key }]) => [role, key]),
  );
  const key = contentKey({ kind: name, version, inputs: inputs as Json, needs: needed });
  return {
    kind: name,
    key,
    id,
    inputs: inputs as Json,
    needs: needed,
    how: how as Json,
    work,
    ...(estimate && { estimate }),
  };
}

/** The address of a node's artifact. */
export function refOf({ kind, key }: Pick<StageNode, "kind" | "key">): ArtifactRef {
  return { stage: kind, key };
}

/** How a value becomes the bytes of an artifact and back. */
export interface Codec<T> {
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
}

/** Values as JSON. */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
  };
}

/** Values that are tensors by name, as float32 safetensors. */
export function tensorCodec<Name extends string>(
  names: readonly Name[],
): Codec<Readonly<Record<Name, Tensor>>> {
  return {
    encode: (value) =>
      writeSafetensors(new Map(names.map((name) => [name, value[name]])), {}, { dtype: "F32" }),
    decode: (bytes) => {
      const { tensors } = readSafetensors(bytes);
      return Object.fromEntries(names.map((name) => [name, tensors.get(name)!])) as Record<
        Name,
        Tensor
      >;
    },
  };
}

/** A kind whose values are single artifacts, each computed by itself. */
export function artifactKind<Needs, Inputs, How, Value>(
  { name, version, isCheck, codec, compute }: {
    readonly name: string;
    readonly version: number;
    readonly isCheck?: boolean;
    readonly codec: Codec<Value>;
    readonly compute: (
      node: TypedNode<Inputs, How>,
      context: StageContext<Needs>,
    ) => Promise<Value>;
  },
): StageKind<Needs, Inputs, How, Value> {
  return {
    name,
    version,
    isCheck,
    ...storedAs(codec),
    group: ({ key }) => key,
    run: async (nodes, context) => {
      for (const node of nodes) {
        await context.store.write(refOf(node), codec.encode(await compute(node, context)));
      }
    },
  };
}

/** How single artifacts are found and read. */
export function storedAs<Value>(
  codec: Codec<Value>,
): Pick<StageKind<never, never, never, Value>, "isStored" | "load"> {
  return {
    isStored: (node, store) => store.has(refOf(node)),
    load: async (node, store) => {
      const bytes = await store.read(refOf(node));
      return bytes && codec.decode(bytes);
    },
  };
}

/** How artifacts that consist of parts and then a marker that all are there are found and read. */
export function storedInParts<Value>(
  load: (
    node: StageNode,
    options: { readonly store: Store; readonly count: number },
  ) => Promise<Value | undefined>,
): Pick<StageKind<never, never, never, Value>, "isStored" | "load"> {
  return {
    isStored: (node, store) => store.has(markerOf(node)),
    load: async (node, store) => {
      const marker = await store.read(markerOf(node));
      return marker && await load(node, { store, count: markerCodec.decode(marker).count });
    },
  };
}

const markerCodec = jsonCodec<{ readonly count: number }>();
const markerOf = (node: StageNode): ArtifactRef => ({ ...refOf(node), part: "complete" });

/** Marks that all parts of a node are stored; `count` tells the reader what to expect. */
export async function markComplete(
  node: StageNode,
  { store, count }: { readonly store: Store; readonly count: number },
): Promise<void> {
  await store.write(markerOf(node), markerCodec.encode({ count }));
}
