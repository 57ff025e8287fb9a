/** How much is done at once. */
export interface MapBoundedOptions<T, R> {
  /** Items at work at once. */
  readonly concurrency: number;
  /**
   * Items begun and not yet taken by the consumer, which bounds memory; `concurrency` unless given.
   * More lets the others go on while the first takes long.
   */
  readonly ahead?: number;
  map(item: T): Promise<R>;
}

/**
 * Maps items with bounded parallelism and yields the results in the items' order. The first
 * failure, in order, is thrown; what is still at work is awaited before.
 */
export async function* mapBounded<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  { concurrency, ahead = concurrency, map }: MapBoundedOptions<T, R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = [];
  const atWork = new Set<Promise<unknown>>();
  try {
    for await (const item of items) {
      while (begun.length >= ahead) yield await begun.shift()!;
      while (atWork.size >= concurrency) await Promise.race(atWork);
      const result = map(item);
      begun.push(result);
      // A failure is thrown when its turn comes; until then it is not unhandled.
      const ended: Promise<unknown> = result.catch(() => {}).then(() => atWork.delete(ended));
      atWork.add(ended);
    }
    while (begun.length > 0) yield await begun.shift()!;
  } finally {
    await Promise.all(atWork);
  }
}
