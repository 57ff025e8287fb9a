import type { ClassLabels } from "./stages/class_labels.ts";

/** The scene that each class has most often among training images; of equal ones the first by name. */
export function preferredScenes(
  { classes, labels }: ClassLabels,
  scenes: readonly string[],
): string[] {
  const counts = classes.map(() => new Map<string, number>());
  labels.forEach((label, image) => {
    const ofClass = counts[label]!;
    ofClass.set(scenes[image]!, (ofClass.get(scenes[image]!) ?? 0) + 1);
  });
  return counts.map((ofClass) => {
    const [most] = [...ofClass].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return most?.[0] ?? "";
  });
}

/**
 * The group of each training image: its class by whether its scene is the one that the class prefers.
 * Groups that occur are numbered from 0.
 */
export function groupsOf(labels: ClassLabels, scenes: readonly string[]): Int32Array {
  const preferred = preferredScenes(labels, scenes);
  const names = labels.labels.map((label, image) =>
    2 * label + (scenes[image] === preferred[label] ? 0 : 1)
  );
  const numbers = new Map([...new Set(names)].sort((a, b) => a - b).map((name, i) => [name, i]));
  return Int32Array.from(names, (name) => numbers.get(name)!);
}
