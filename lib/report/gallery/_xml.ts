/** A text as content or as a quoted attribute of HTML or SVG; what XML may not hold is left out. */
export function escapeXml(text: string): string {
  return text
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** The address of a PNG in base64. */
export const pngAddress = (base64: string) => `data:image/png;base64,${base64}`;
