import { printable, quote, UserError } from "../files/mod.ts";

/** A word that a CAV is made of. */
export interface ConceptWord {
  readonly name: string;
  /** What stands in a prompt: the word, with its description where it has one. */
  readonly phrase: string;
}

/** As many words as one run takes. */
const mostWords = 2000;
/** More than any text tower reads. */
const mostCharacters = 1000;

/**
 * Reads words, one a line: `striped`, or with a description `striped: a surface with parallel
 * stripes`. Empty lines and lines that begin with # are left out, and so is a word that came before.
 *
 * @param options.file names the source in messages.
 * @returns the words in their order, and those that were there twice.
 * @throws {UserError} when there is no word, there are too many, or a line cannot be a word.
 */
export function parseWords(
  text: string,
  { file }: { readonly file: string },
): { readonly words: readonly ConceptWord[]; readonly repeated: readonly string[] } {
  const words = new Map<string, ConceptWord>();
  const repeated = new Set<string>();
  for (const [index, raw] of text.replace(/^\ufeff/, "").split(/\r\n|[\n\r]/).entries()) {
    const line = raw.normalize("NFC").trim();
    if (line === "" || line.startsWith("#")) continue;
    const word = wordOf(line, { file, number: index + 1 });
    const before = words.get(word.name);
    if (before === undefined) words.set(word.name, word);
    else if (before.phrase === word.phrase) repeated.add(word.name);
    else {
      throw new UserError(
        `Line ${index + 1} of ${file} describes ${quote(word.name)} in another way than a line ` +
          `before. Keep one of them, or give one another name.`,
      );
    }
  }
  if (words.size === 0) throw new UserError(`${file} holds no word. Write one concept a line.`);
  if (words.size > mostWords) {
    throw new UserError(
      `${file} holds ${words.size} words, and ${mostWords} are taken at once. Split the file.`,
    );
  }
  return { words: [...words.values()], repeated: [...repeated] };
}

function wordOf(
  line: string,
  { file, number }: { readonly file: string; readonly number: number },
): ConceptWord {
  // deno-lint-ignore no-control-regex -- these are meant
  if (line.length > mostCharacters || /[\x00-\x1f\x7f-\x9f]/.test(line)) {
    throw new UserError(
      `Line ${number} of ${file} is no word: it has control characters or more than ` +
        `${mostCharacters} characters (${printable(line).slice(0, 40)}). Correct it.`,
    );
  }
  const colon = line.indexOf(":");
  const name = (colon === -1 ? line : line.slice(0, colon)).trim();
  const description = colon === -1 ? "" : line.slice(colon + 1).trim();
  if (name === "") {
    throw new UserError(`Line ${number} of ${file} has a description and no word. Correct it.`);
  }
  return { name, phrase: description === "" ? name : `${name}, ${description}` };
}
