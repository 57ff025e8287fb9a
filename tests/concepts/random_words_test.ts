import assert from "node:assert/strict";
import { randomWord } from "../../lib/concepts/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";

Deno.test("randomWord() spells a word that can be spoken, the same for one stream and another for the next", () => {
  const random = createRandom(0);
  const words = Array.from({ length: 500 }, (_, i) => randomWord([], { random: random.split(i) }));
  for (const word of words) assert.match(word, /^[^aeiou][aeiou][^aeiou]{2}[aeiou][^aeiou]$/);
  assert.equal(randomWord([], { random: createRandom(0).split(7) }), words[7]);
  // Of 14^4 5^2 = 960,400 words two of 500 are equal with a probability of 12 %.
  assert.ok(new Set(words).size >= 498);
});

Deno.test("randomWord() is none of the words that have a meaning", () => {
  const [first, second] = [createRandom(1), createRandom(1)];
  const taken = randomWord([], { random: first });
  const names = [`a ${taken.toUpperCase()}, dog`, "cat"];
  const other = randomWord(names, { random: second });
  assert.notEqual(other, taken);
  assert.equal(other, randomWord([], { random: first }), "the next of the stream");
});
