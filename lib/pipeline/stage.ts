import type { Device } from "../onnx/mod.ts";
import { type ArtifactRef, contentKey, type Json, type Store } from "../store/mod.ts";

/** What a stage may use while it computes; nothing of it changes the result. */
export interface StageContext {
  readonly store: Store;
  /** onnxruntime's execution provider. */
  readonly device: Device;
  /** Threads for one model session. */
  readonly threads: number;
  readonly signal: AbortSignal;
  /** The value of a stage that this one needs. */
  readonly valueOf: <T>(stage: Stage<T>) => Promise<T>;
  /** Tells how much of the current stage is done, in its own unit of work. */
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * One step of a plan. Its key is the hash of everything that its value depends on, so two plans
 * that need the same step share it, and it is computed once.
 */
export interface Stage<T> {
  /** Names the stage in a plan, such as "features resnet18 broden". */
  readonly id: string;
  readonly ref: ArtifactRef;
  readonly needs: readonly Stage<unknown>[];
  /** The estimated work, in words. */
  readonly work: string;
  readonly estimate?: Estimate | undefined;
  /** Whether the value is in the store. */
  readonly isStored: (store: Store) => Promise<boolean>;
  /** The value from the store, or `undefined`. */
  readonly load: (store: Store) => Promise<T | undefined>;
  /** Computes the value and stores it. */
  readonly run: (context: StageContext) => Promise<T>;
}

/** The work of a stage in numbers, as far as they are known beforehand. */
export interface Estimate {
  /** Images that a model runs on, at most. */
  readonly images: number;
  readonly multiplyAdds: number;
  /** Bytes that the stage stores. */
  readonly bytes: number;
}

/** How a value becomes the bytes of an artifact and back. */
export interface Codec<T> {
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
}

/** A stage whose value is one artifact. */
export interface ArtifactStageSpec<T> {
  readonly id: string;
  readonly stage: string;
  /** Raised whenever the code of the stage may make other bytes of the same inputs. */
  readonly version: number;
  /** What the value depends on, besides the needed stages. */
  readonly inputs: Json;
  readonly needs: readonly Stage<unknown>[];
  readonly work: string;
  readonly codec: Codec<T>;
  readonly compute: (context: StageContext, ref: ArtifactRef) => Promise<T>;
}

/** The address of a stage's artifact: its name, its version, its inputs and the keys it needs. */
export function stageRef(
  { stage, version, inputs, needs }: Pick<
    ArtifactStageSpec<unknown>,
    "stage" | "version" | "inputs" | "needs"
  >,
): ArtifactRef {
  const key = contentKey({ stage, version, inputs, needs: needs.map((need) => need.ref.key) });
  return { stage, key };
}

/** A stage that computes one value and stores it as one artifact. */
export function artifactStage<T>(spec: ArtifactStageSpec<T>): Stage<T> {
  const ref = stageRef(spec);
  return {
    id: spec.id,
    ref,
    needs: spec.needs,
    work: spec.work,
    isStored: (store) => store.has(ref),
    load: async (store) => {
      const bytes = await store.read(ref);
      return bytes && spec.codec.decode(bytes);
    },
    run: async (context) => {
      const value = await spec.compute(context, ref);
      await context.store.write(ref, spec.codec.encode(value));
      return value;
    },
  };
}

/** A stage whose value is stored in parts, so that an interrupted run keeps the finished ones. */
export interface PartedStageSpec<T> extends Omit<ArtifactStageSpec<T>, "codec" | "compute"> {
  readonly estimate?: Estimate | undefined;
  /** The value from its parts, or `undefined` when one is missing or corrupt. */
  readonly loadParts: (
    store: Store,
    { ref, count }: { readonly ref: ArtifactRef; readonly count: number },
  ) => Promise<T | undefined>;
  /** Computes and stores the parts that the store lacks; `count` tells `loadParts` what to expect. */
  readonly compute: (
    context: StageContext,
    ref: ArtifactRef,
  ) => Promise<{ readonly value: T; readonly count: number }>;
}

/** A stage stored in parts, and then a marker that all are there. */
export function partedStage<T>(spec: PartedStageSpec<T>): Stage<T> {
  const { id, needs, work, estimate, loadParts, compute } = spec;
  const ref = stageRef(spec);
  const complete = { ...ref, part: "complete" };
  const codec = jsonCodec<{ readonly count: number }>();
  return {
    id,
    ref,
    needs,
    work,
    estimate,
    isStored: (store) => store.has(complete),
    load: async (store) => {
      const marker = await store.read(complete);
      return marker && await loadParts(store, { ref, count: codec.decode(marker).count });
    },
    run: async (context) => {
      const { value, count } = await compute(context, ref);
      await context.store.write(complete, codec.encode({ count }));
      return value;
    },
  };
}

/** Values as JSON. */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
  };
}
