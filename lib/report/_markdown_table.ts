/** Rows of a table in markdown, the first its header; all columns but the first are flush right. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((cells) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  );
  const width = rows[0]!.length;
  lines.splice(1, 0, `| --- |${" ---: |".repeat(width - 1)}`);
  return lines.join("\n");
}
