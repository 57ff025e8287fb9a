import { listed } from "../files/mod.ts";
import { loadValue, type PlannedImages } from "../pipeline/mod.ts";
import type { Store } from "../store/mod.ts";
import type { CliContext } from "./context.ts";

/** Names the images that were left out because they cannot be read. */
export async function sayUnreadable(
  { process: { stderr } }: CliContext,
  images: readonly PlannedImages[],
  store: Store,
): Promise<void> {
  for (const { name, readable } of images) {
    const { unreadable } = await loadValue(readable, store);
    if (unreadable.length === 0) continue;
    stderr.write(
      `Left out ${unreadable.length} images of ${name} that cannot be read: ${
        listed(unreadable.map(({ id }) => id))
      }.\n`,
    );
  }
}
