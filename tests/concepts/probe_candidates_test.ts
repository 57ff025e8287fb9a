import assert from "node:assert/strict";
import { probeCandidates } from "../../lib/concepts/mod.ts";

const concept = { positives: [0, 1], negatives: [3, 5] };
const pool = { ofConcepts: 6, images: 10, otherConcepts: true, heldOut: new Set([7]) };

Deno.test("probeCandidates() leaves out all labelled images of the concept, and what is held out", () => {
  assert.deepEqual(probeCandidates(concept, pool), [2, 4, 6, 8, 9]);
});

Deno.test("probeCandidates() takes negatives where they may judge what they help to make", () => {
  const kept = probeCandidates(concept, { ...pool, testNegatives: true });
  assert.deepEqual(kept, [2, 3, 4, 5, 6, 8, 9]);
});

Deno.test("probeCandidates() takes no image of a concept where other concepts are no probes", () => {
  assert.deepEqual(probeCandidates(concept, { ...pool, otherConcepts: false }), [6, 8, 9]);
});
