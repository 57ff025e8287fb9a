import type { StoredStage } from "./inventory.ts";

/** Which stages may be removed, and how much of them. */
export interface Collection {
  /** Keys of stages that stay. */
  readonly kept: ReadonlySet<string>;
  /** Only what was written before, in milliseconds since 1970. */
  readonly before: number;
  /** The oldest are chosen until the store is no larger, in bytes; all of them when left out. */
  readonly maxBytes?: number | undefined;
}

/** The stages that a collection removes, the oldest first. */
export function stagesToRemove(
  stages: readonly StoredStage[],
  { kept, before, maxBytes }: Collection,
): StoredStage[] {
  const candidates = stages
    .filter(({ key, written }) => !kept.has(key) && written.getTime() < before)
    .sort((a, b) => a.written.getTime() - b.written.getTime());
  let surplus = maxBytes === undefined ? Infinity : bytesOf(stages) - maxBytes;
  return candidates.filter(({ bytes }) => {
    const isChosen = surplus > 0;
    if (isChosen) surplus -= bytes;
    return isChosen;
  });
}

/** The size of some stages. */
export function bytesOf(stages: readonly StoredStage[]): number {
  return stages.reduce((sum, { bytes }) => sum + bytes, 0);
}
