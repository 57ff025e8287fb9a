import { statfsSync } from "node:fs";
import { UserError } from "../files/mod.ts";
import { asError, send, withWorker, type WorkerOptions } from "./_start_worker.ts";
import type { WorkerMessage } from "./_worker.ts";
import { groupOf } from "./graph.ts";
import type { StageNode } from "./stage.ts";
import { interventionsKind, worldKind } from "./stages/mod.ts";

/** What this machine has. */
export interface Room {
  readonly storeRoot: string;
  /** Of the disk that holds the store. */
  readonly freeBytes: number;
  readonly memoryBytes: number;
}

/** What some stages cost together, as far as it is known beforehand. */
export interface PlanCost {
  readonly stages: number;
  /** Images that are rendered or that a model runs on, at most. */
  readonly images: number;
  readonly multiplyAdds: number;
  /** Bytes that are stored. */
  readonly bytes: number;
  /** Bytes of memory of the largest stage. */
  readonly memory: number;
}

/** How fast this machine does what plans are made of. */
export interface Speeds {
  /** Multiply-adds a second of a product of matrices. */
  readonly products: number;
  /** Seconds to render an image of the world; undefined where none is rendered. */
  readonly rendering?: number;
  /** Seconds to read and preprocess an image; undefined where no model was measured. */
  readonly reading?: number;
  /** The models that were measured, with their multiply-adds a second. */
  readonly models: readonly {
    readonly name: string;
    /** See {@linkcode modelOf}. */
    readonly model: string;
    readonly multiplyAdds: number;
  }[];
}

/** Which share of a matrix product's rate models reach: 0.7 to 0.95, measured over the backbones. */
const modelShare = 0.8;

/** Which share of it training reaches: measured at 0.4. */
const trainingShare = 0.4;

/** What identifies the model of a node. */
export function modelOf({ inputs }: StageNode): string {
  return JSON.stringify((inputs as { readonly model?: unknown }).model);
}

/** Adds up what stages cost. */
export function planCost(nodes: readonly StageNode[]): PlanCost {
  const { images, multiplyAdds, bytes } = sumOf(nodes);
  return {
    stages: nodes.length,
    images,
    multiplyAdds,
    bytes,
    memory: Math.max(0, ...nodes.map(({ estimate }) => estimate?.memory ?? 0)),
  };
}

/**
 * Compares what stages will store with the free space of the disk that holds the store, and what
 * they hold at once with the memory.
 *
 * @param options.jobs how many are wanted at once.
 * @returns how many at once the memory allows, `jobs` at most.
 * @throws {UserError} when the disk or the memory is too small.
 */
export function requireRoom(
  nodes: readonly StageNode[],
  { room: { storeRoot, freeBytes, memoryBytes }, jobs }: {
    readonly room: Room;
    readonly jobs: number;
  },
): number {
  const largest = nodes.find((node) => (node.estimate?.memory ?? 0) > memoryBytes);
  if (largest !== undefined) {
    throw new UserError(
      `The stage "${largest.id}" takes ${
        gigabytes(largest.estimate!.memory!)
      } of memory, and this ` +
        `machine has ${
          gigabytes(memoryBytes)
        }. Take a smaller backbone or a smaller "batch" of the ` +
        `profile, or correct the "architecture".`,
    );
  }
  const { bytes } = sumOf(nodes);
  if (bytes > freeBytes) {
    throw new UserError(
      `The plan will store ${gigabytes(bytes)} in ${storeRoot}, whose disk has ` +
        `${
          gigabytes(freeBytes)
        } left. Free some, take fewer images or backbones, or name a folder ` +
        `on a larger disk as LG_CAV_STORE.`,
    );
  }
  const descending = groupsOf(nodes).map((group) => planCost(group).memory).sort((a, b) => b - a);
  let held = 0;
  const fitting = descending.findIndex((memory) => (held += memory) > memoryBytes);
  return fitting === -1 ? jobs : Math.min(jobs, fitting);
}

/** The seconds that stages take with `jobs` groups of them at once. */
export function planSeconds(
  nodes: readonly StageNode[],
  { speeds, jobs }: { readonly speeds: Speeds; readonly jobs: number },
): number {
  const seconds = groupsOf(nodes).map((group) => groupSeconds(group, speeds));
  return Math.max(0, ...seconds, seconds.reduce((sum, one) => sum + one, 0) / jobs);
}

/** The seconds that models take for some multiply-adds, as a machine multiplies matrices. */
export function modelSeconds(multiplyAdds: number, { products }: Pick<Speeds, "products">): number {
  return multiplyAdds / (modelShare * products);
}

function groupSeconds(group: readonly StageNode[], speeds: Speeds): number {
  const { images, multiplyAdds } = sumOf(group);
  const [first] = group;
  if ([worldKind.name, interventionsKind.name].includes(first!.kind)) {
    return images * (speeds.rendering ?? 0);
  }
  if (images === 0) return multiplyAdds / (trainingShare * speeds.products);
  return images * (speeds.reading ?? 0) + multiplyAdds / modelSpeed(modelOf(first!), speeds);
}

/** That of the model, else of all that were measured together, else of a matrix product. */
function modelSpeed(model: string, { models, products }: Speeds): number {
  const measured = models.find((one) => one.model === model)?.multiplyAdds;
  if (measured !== undefined) return measured;
  if (models.length === 0) return modelShare * products;
  return models.length / models.reduce((sum, { multiplyAdds }) => sum + 1 / multiplyAdds, 0);
}

function groupsOf(nodes: readonly StageNode[]): StageNode[][] {
  return [...Map.groupBy(nodes, groupOf).values()];
}

function sumOf(nodes: readonly StageNode[]) {
  const sum = { images: 0, multiplyAdds: 0, bytes: 0 };
  for (const { estimate } of nodes) {
    sum.images += estimate?.images ?? 0;
    sum.multiplyAdds += estimate?.multiplyAdds ?? 0;
    sum.bytes += estimate?.bytes ?? 0;
  }
  for (const group of groupsOf(nodes)) {
    sum.multiplyAdds += Math.max(...group.map(({ estimate }) => estimate?.shared ?? 0));
  }
  return sum;
}

/** The memory of this machine, and what is free of the disk that holds a store. */
export function roomOf(storeRoot: string): Room {
  const { bavail, bsize } = statfsSync(storeRoot);
  return { storeRoot, freeBytes: bavail * bsize, memoryBytes: Deno.systemMemoryInfo().total };
}

/** Measures this machine by what some nodes of a graph will do, in a thread that is then gone. */
export async function measurePlan(
  nodes: readonly StageNode[],
  options: Omit<WorkerOptions, "targets"> & { readonly signal: AbortSignal },
): Promise<Speeds> {
  const keys = nodes.map(({ key }) => key);
  return await withWorker(
    { ...options, targets: keys },
    (worker) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
          if (data.kind === "measured") resolve(data.speeds);
          if (data.kind === "failed") reject(asError(data));
        };
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`The worker that measures the plan stopped: ${event.message}`));
        };
        send(worker, { kind: "measure", keys });
      }),
  );
}

/** Bytes in words: "2.1 GB". */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
