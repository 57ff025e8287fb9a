import type { Random } from "../tensor/mod.ts";

const consonants = [..."bdfgklmnprstvz"];
const vowels = [..."aeiou"];

/** What a control CAV asks of the VL model in place of a concept: {@linkcode randomWord}. */
const shape = [consonants, vowels, consonants, consonants, vowels, consonants];

/**
 * A word of six letters that can be spoken and names nothing: consonant, vowel, consonant, and once
 * more, such as "zibfot", each letter drawn from 14 consonants or 5 vowels. It is none of the names
 * given, in any case.
 *
 * @param names words that it must not be, such as those of the concepts.
 */
export function randomWord(
  names: readonly string[],
  { random }: { readonly random: Random },
): string {
  const taken = new Set(names.flatMap((name) => name.toLowerCase().split(/[^a-z]+/)));
  while (true) {
    const word = shape.map((letters) => random.pick(letters)).join("");
    if (!taken.has(word)) return word;
  }
}
