/**
 * A foreign string or value for a message: as JSON, cut after eighty characters, without characters
 * that a terminal would obey.
 */
export function quote(value: unknown): string {
  return escaped(
    typeof value === "string"
      ? JSON.stringify(cut(value, 80))
      : cut(JSON.stringify(value) ?? String(value), 80),
  );
}

/** Foreign words within a message: cut after 200 characters, control characters escaped. */
export function printable(text: string): string {
  return escaped(cut(text, 200));
}

function escaped(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- JSON escapes the first half of them itself
    /[\x00-\x1f\x7f-\x9f]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Items as a list for a message, cut after ten of them. */
export function listed(items: readonly string[]): string {
  const first = items.slice(0, 10).join(", ");
  return items.length > 10 ? `${first} and ${items.length - 10} others` : first;
}
