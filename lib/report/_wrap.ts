/** A text in lines of at most so many characters, broken at spaces; a longer word keeps its line. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) {
      lines.splice(-1, 1, `${last} ${word}`);
    } else {
      lines.push(word);
    }
  }
  return lines;
}

/** A text cut to so many characters. */
export function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
