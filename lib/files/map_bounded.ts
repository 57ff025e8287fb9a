/**
 * Maps items with up to `concurrency` at work at once and yields the results in the items' order.
 * The first failure, in order, is thrown; what is still at work is awaited before.
 */
export async function* ordered<T, R>(
  items: Iterable<T>,
  { concurrency, map }: { readonly concurrency: number; map(item: T): Promise<R> },
): AsyncGenerator<R> {
  const atWork: Promise<R>[] = [];
  try {
    for (const item of items) {
      const result = map(item);
      // Awaited below, in order; until then a failure is not unhandled.
      result.catch(() => {});
      atWork.push(result);
      if (atWork.length >= concurrency) yield await atWork.shift()!;
    }
    while (atWork.length > 0) yield await atWork.shift()!;
  } finally {
    await Promise.allSettled(atWork);
  }
}
