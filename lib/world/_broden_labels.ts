import { worldConcepts } from "./concepts.ts";
import { categories } from "./factors.ts";

/** That an image carries a label, on this share of its pixels. */
export interface LabelUse {
  readonly label: number;
  readonly coverage: number;
}

/**
 * label.csv, category.csv and a c_<category>.csv each, in Broden's columns. Frequency counts images,
 * coverage sums their shares. The dense codes of a category go by descending frequency.
 */
export function labelFiles(
  uses: readonly LabelUse[],
): { path: string; bytes: readonly string[] }[] {
  const concepts = worldConcepts().map((concept) => ({ ...concept, frequency: 0, coverage: 0 }));
  for (const { label, coverage } of uses) {
    concepts[label - 1]!.frequency += 1;
    concepts[label - 1]!.coverage += coverage;
  }
  const labels = concepts.map(({ number, name, category, frequency, coverage }) =>
    `${number},${name},${category}(${frequency}),${frequency},${coverage.toFixed(6)},`
  );
  const own = categories.map((category) => ({
    category,
    members: concepts.filter((concept) => concept.category === category),
  }));
  const summaries = own.map(({ category, members }) => {
    const frequency = members.reduce((sum, member) => sum + member.frequency, 0);
    const [first, last] = [members[0]!.number, members.at(-1)!.number];
    return `${category},${first},${last},${members.length},${frequency}`;
  });
  return [
    { path: "label.csv", bytes: ["number,name,category,frequency,coverage,syns", ...labels] },
    { path: "category.csv", bytes: ["name,first,last,count,frequency", ...summaries] },
    ...own.map(({ category, members }) => ({
      path: `c_${category}.csv`,
      bytes: [
        "code,number,name,frequency,coverage",
        ...[...members]
          .sort((a, b) => b.frequency - a.frequency || b.coverage - a.coverage)
          .map(({ number, name, frequency, coverage }, index) =>
            `${index + 1},${number},${name},${frequency},${coverage.toFixed(6)}`
          ),
      ],
    })),
  ];
}
