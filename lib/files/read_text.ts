/**
 * A text file without the byte-order mark that some editors put first.
 *
 * @throws {Deno.errors.NotFound} and other errors of opening and reading.
 */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await Deno.readFile(path));
}

/** What a text of JSON says, or `undefined` when it is none: a damaged file is told by its reader. */
export function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
