import type { LabelledImages } from "../images/mod.ts";

/** Which logit of a model is which class of a dataset. */
export interface ClassMatch {
  /** The logit of each class that the model knows, by the class's id. */
  readonly logits: ReadonlyMap<string, number>;
  /** Names of the model that are no class of the dataset. */
  readonly strangers: readonly string[];
}

/**
 * Matches a model's logits with the classes of a dataset: by position where the model brings no
 * names and has as many logits as there are classes, else a name with a class's id or with one of its
 * synonyms, whatever the case and whether words are parted by spaces, hyphens or underscores. A name
 * that two classes have stands for neither; of two names for one class the first counts.
 */
export function matchClasses(
  classes: LabelledImages["classes"],
  { classNames, logits }: {
    readonly classNames: readonly string[] | undefined;
    readonly logits: number;
  },
): ClassMatch {
  if (classNames === undefined) {
    const known = logits === classes.length ? classes : [];
    return { logits: new Map(known.map(({ id }, index) => [id, index])), strangers: [] };
  }
  const idOf = new Map<string, string | undefined>();
  const claim = (name: string, id: string) =>
    idOf.set(name, idOf.has(name) && idOf.get(name) !== id ? undefined : id);
  for (const { id, name } of classes) {
    claim(simplified(id), id);
    for (const synonym of new Set([name, ...name.split(",")].map(simplified))) claim(synonym, id);
  }
  const found = new Map<string, number>();
  const strangers: string[] = [];
  for (const [logit, line] of classNames.entries()) {
    const id = [line, ...line.split(",")].map((name) => idOf.get(simplified(name)))
      .find((candidate) => candidate !== undefined && !found.has(candidate));
    if (id === undefined) strangers.push(line);
    else found.set(id, logit);
  }
  return { logits: found, strangers };
}

function simplified(name: string): string {
  return name.trim().toLowerCase().replaceAll(/[\s_-]+/g, " ");
}

/** ImageNet's class names are lists of synonyms, the most common first. */
export function firstSynonym(name: string): string {
  return name.split(",")[0]!.trim();
}

/** The first synonym of each class; two classes that share it are told apart by their ids. */
export function uniqueNames(classes: LabelledImages["classes"]): string[] {
  const names = classes.map(({ name }) => firstSynonym(name));
  const counts = Map.groupBy(names, (name) => name);
  return names.map((name, index) =>
    counts.get(name)!.length === 1 ? name : `${name} (${classes[index]!.id})`
  );
}
