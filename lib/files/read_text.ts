/**
 * A text file without the byte-order mark that some editors put first.
 *
 * @throws {Deno.errors.NotFound} and other errors of opening and reading.
 */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await Deno.readFile(path));
}
