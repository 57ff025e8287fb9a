import { deepEqual, equal, throws } from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import { parseWords } from "../../lib/concepts/mod.ts";

const parse = (text: string) => parseWords(text, { file: "words.txt" });

Deno.test("parseWords() reads words with descriptions, without empty lines and comments", () => {
  const text = "\ufeffred\r\n\n  # colours\n striped : a surface: with stripes \nred\ncafe\u0301\n";
  deepEqual(parse(text), {
    words: [
      { name: "red", phrase: "red" },
      { name: "striped", phrase: "striped, a surface: with stripes" },
      { name: "caf\u00e9", phrase: "caf\u00e9" },
    ],
    repeated: ["red"],
  });
});

Deno.test("parseWords() takes 2,000 words and no more", () => {
  const lines = Array.from({ length: 2000 }, (_, i) => `word ${i}`);
  equal(parse(lines.join("\n")).words.length, 2000);
  throws(() => parse([...lines, "one more"].join("\n")), /2001 words, and 2000 are taken/);
});

Deno.test("parseWords() refuses what is no word, with the line", () => {
  for (
    const [text, message] of [
      ["", /holds no word/],
      ["\n# only a comment\n", /holds no word/],
      ["red\n: a description", /Line 2 .* no word/],
      [`red\n${"x".repeat(1001)}`, /Line 2 .* 1000 characters/],
      ["red\u0007", /Line 1 .* control characters/],
      ["red\nred: a colour", /Line 2 .* describes "red" in another way/],
    ] as const
  ) {
    throws(
      () => parse(text),
      (error: Error) => error instanceof UserError && message.test(error.message),
    );
  }
});
