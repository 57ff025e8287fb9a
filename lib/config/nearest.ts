import { UserError } from "../files/mod.ts";

/**
 * Returns `name` when it is one of `names`.
 *
 * @throws {UserError} that lists the names and suggests the nearest when it is none.
 */
export function oneOf<T extends string>(kind: string, name: string, names: readonly T[]): T {
  const found = names.find((candidate) => candidate === name);
  if (found !== undefined) return found;
  const suggestion = nearest(name, names);
  throw new UserError(
    `There is no ${kind} "${name}".${suggestion ? ` Did you mean "${suggestion}"?` : ""} Known: ${
      names.join(", ")
    }.`,
  );
}

/** The name with the smallest edit distance, if that is at most half the length of the word. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, word.length / 2) ? best.name : undefined;
}

/** Levenshtein distance: insertions, deletions and substitutions. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}
