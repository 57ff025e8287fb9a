import assert from "node:assert/strict";
import { matchClasses } from "../../lib/pipeline/classes.ts";

const classes = [
  { id: "n01", name: "tench, Tinca tinca" },
  { id: "n02", name: "crane" },
  { id: "n03", name: "crane, hoist" },
  { id: "n04", name: "great white shark" },
];

/** The logit of each class that is found. */
const match = (classNames: readonly string[] | undefined, logits = classNames?.length ?? 0) => {
  const { logits: found, strangers } = matchClasses(classes, { classNames, logits });
  return { found: Object.fromEntries(found), strangers };
};

Deno.test("matchClasses() goes by name, synonym or id, in any order, case and hyphenation", () => {
  assert.deepEqual(match(["Great_White-Shark", "N01", "crane, hoist"]), {
    found: { n04: 0, n01: 1, n03: 2 },
    strangers: [],
  });
  assert.deepEqual(match(["Tinca Tinca"]).found, { n01: 0 });
});

Deno.test("matchClasses() lists the names that match none, that two classes claim, or that came before", () => {
  assert.deepEqual(match(["crane", "trout", "tench", "tench"]), {
    found: { n01: 2 },
    strangers: ["crane", "trout", "tench"],
  });
});

Deno.test("matchClasses() goes by position where a model has no names and as many logits", () => {
  assert.deepEqual(match(undefined, 4).found, { n01: 0, n02: 1, n03: 2, n04: 3 });
  assert.deepEqual(match(undefined, 5).found, {});
});
