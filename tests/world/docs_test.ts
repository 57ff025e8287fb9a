import assert from "node:assert/strict";
import { worldClasses, worldConcepts } from "../../lib/world/mod.ts";

Deno.test("docs/world.md lists every factor value and every class as they are", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/world.md", import.meta.url));
  const rows = page.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  for (const [category, of] of Map.groupBy(worldConcepts(), ({ category }) => category)) {
    const row = rows.find(([name]) => name === category);
    assert.equal(row?.[1], of.map(({ value }) => value).join(", "));
  }
  for (const { id, name, factors, preferredScene } of worldClasses()) {
    const { object, color, texture, material, parts } = factors;
    assert.deepEqual(
      rows.find(([folder]) => folder === id),
      [id, name, object, color, texture ?? material, parts.join(), preferredScene],
    );
  }
});
