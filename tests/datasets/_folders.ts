import { dirname, join } from "node:path";
import assert from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";

const roots: string[] = [];
addEventListener("unload", () => {
  for (const root of roots) Deno.removeSync(root, { recursive: true });
});

/** A new temporary folder, removed when the tests of the file are done, with the given files, whose paths may name folders. */
export async function folderOf(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const root = await Deno.makeTempDir();
  roots.push(root);
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
  }
  return root;
}

/** The message of the UserError that the action throws. */
export async function messageOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
  assert.fail("nothing was thrown");
}
