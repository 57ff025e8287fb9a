/** A new folder that is removed when its test file ends, whatever the tests in it did. */
export async function temporaryFolder(prefix = ""): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix });
  addEventListener("unload", () => {
    try {
      Deno.removeSync(folder, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
  return folder;
}
