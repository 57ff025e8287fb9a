/** What is wrong with a message: it is no single short sentence that a terminal can show. */
export function faultOfMessage(message: string): string | undefined {
  if (!message.endsWith(".")) return `no whole sentence: ${message}`;
  // deno-lint-ignore no-control-regex -- what a terminal would obey
  if (/[\x00-\x1f\x7f-\x9f]/.test(message)) return `control characters: ${JSON.stringify(message)}`;
  return message.length > 600 ? `too long: ${message.slice(0, 1000)}` : undefined;
}
