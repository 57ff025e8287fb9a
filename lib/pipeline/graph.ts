import type { Stage, StageContext } from "./stage.ts";

/**
 * Returns the value of a stage: from the store when it is there and sound, else computed, which
 * needs the values of the stages before it. Within one call each value is loaded once.
 */
export function materialise<T>(
  stage: Stage<T>,
  context: Omit<StageContext, "valueOf">,
): Promise<T> {
  const values = new Map<string, Promise<unknown>>();
  const valueOf = <V>(needed: Stage<V>): Promise<V> => {
    const known = values.get(needed.ref.key);
    if (known !== undefined) return known as Promise<V>;
    const value = load(needed);
    values.set(needed.ref.key, value);
    return value;
  };
  const load = async <V>(needed: Stage<V>): Promise<V> => {
    const stored = await needed.load(context.store);
    if (stored !== undefined) return stored;
    context.signal.throwIfAborted();
    const onProgress = needed === stage as unknown ? context.onProgress : () => {};
    return await needed.run({ ...context, onProgress, valueOf });
  };
  return valueOf(stage);
}

/**
 * The stages that must run before every target is in the store, each after the ones it needs.
 * What a stored stage needed is not looked at.
 */
export async function missingStages(
  targets: readonly Stage<unknown>[],
  context: Pick<StageContext, "store">,
): Promise<Stage<unknown>[]> {
  const visited = new Set<string>();
  const missing: Stage<unknown>[] = [];
  const visit = async (stage: Stage<unknown>): Promise<void> => {
    if (visited.has(stage.ref.key)) return;
    visited.add(stage.ref.key);
    if (await stage.isStored(context.store)) return;
    for (const needed of stage.needs) await visit(needed);
    missing.push(stage);
  };
  for (const target of targets) await visit(target);
  return missing;
}

/** Every stage of a plan, each after the ones it needs. */
export function allStages(targets: readonly Stage<unknown>[]): Stage<unknown>[] {
  const stages = new Map<string, Stage<unknown>>();
  const visit = (stage: Stage<unknown>): void => {
    if (stages.has(stage.ref.key)) return;
    for (const needed of stage.needs) visit(needed);
    stages.set(stage.ref.key, stage);
  };
  targets.forEach(visit);
  return [...stages.values()];
}
