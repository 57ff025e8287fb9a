import { statfsSync } from "node:fs";
import { UserError } from "../files/mod.ts";
import type { StageNode } from "./stage.ts";

/** A model is held as it was read, as numbers of four bytes, and by the runtime. */
const bytesPerParameter = 3 * Float32Array.BYTES_PER_ELEMENT;

/** What this machine has. */
export interface Room {
  readonly storeRoot: string;
  /** Of the disk that holds the store. */
  readonly freeBytes: number;
  readonly memoryBytes: number;
}

/**
 * Compares what stages will store with the free space of the disk that holds the store, and the
 * largest model with the memory.
 *
 * @throws {UserError} when it is too little.
 */
export function requireRoom(
  nodes: readonly StageNode[],
  { storeRoot, freeBytes, memoryBytes }: Room,
): void {
  for (const { id, estimate } of nodes) {
    const needed = bytesPerParameter * (estimate?.parameters ?? 0);
    if (needed <= memoryBytes) continue;
    throw new UserError(
      `The stage "${id}" loads a model that takes ${
        gigabytes(needed)
      } of memory, and this machine ` +
        `has ${gigabytes(memoryBytes)}. Take a smaller backbone, or correct its "architecture".`,
    );
  }
  const bytes = nodes.reduce((sum, { estimate }) => sum + (estimate?.bytes ?? 0), 0);
  if (bytes <= freeBytes) return;
  throw new UserError(
    `The plan will store ${gigabytes(bytes)} of features in ${storeRoot}, whose disk has ` +
      `${
        gigabytes(freeBytes)
      } left. Free some, take fewer images or backbones, or name a folder on ` +
      `a larger disk as LG_CAV_STORE.`,
  );
}

/** The memory of this machine, and what is free of the disk that holds a store. */
export function roomOf(storeRoot: string): Room {
  const { bavail, bsize } = statfsSync(storeRoot);
  return { storeRoot, freeBytes: bavail * bsize, memoryBytes: Deno.systemMemoryInfo().total };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
