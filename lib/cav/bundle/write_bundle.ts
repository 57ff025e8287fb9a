import { join } from "node:path";
import { hashFile, treeHash, walkFiles } from "../../files/mod.ts";
import { writeSafetensors } from "../../tensor/mod.ts";
import { type Bundle, type BundleTensors, shapesOf, tensorNames } from "./bundle.ts";
import { modelCard } from "./model_card.ts";

/** A picture of a concept, under a name in evidence/. */
export interface Evidence {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Writes the files of a bundle into an empty folder: the same bundle gives the same bytes. The
 * manifest, with the SHA-256 of every other file, comes last.
 *
 * @throws {RangeError} when a tensor has not the shape that the config says.
 */
export async function writeBundleFiles(
  folder: string,
  { config, metrics, tensors }: Bundle,
  { evidence }: { readonly evidence: AsyncIterable<Evidence> | Iterable<Evidence> },
): Promise<void> {
  for (const [name, shape] of Object.entries(shapesOf(config))) {
    const found = tensors[name as keyof BundleTensors].shape;
    if (`${found}` !== `${shape}`) {
      throw new RangeError(`Writing a bundle whose ${name} are [${found}], not [${shape}].`);
    }
  }
  const named = new Map(
    Object.entries(tensorNames).map(([key, name]) => [name, tensors[key as keyof BundleTensors]]),
  );
  const write = (name: string, bytes: Uint8Array) => Deno.writeFile(join(folder, name), bytes);
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  await write("cavs.safetensors", writeSafetensors(named, { format: "lg-cav" }, { dtype: "F32" }));
  await write("config.json", json(config));
  await write("metrics.json", json(metrics));
  await write("README.md", new TextEncoder().encode(modelCard({ config, metrics })));
  await Deno.mkdir(join(folder, "evidence"), { recursive: true });
  for await (const { name, bytes } of evidence) await write(join("evidence", name), bytes);
  await write("manifest.json", json(await manifestOf(folder)));
}

async function manifestOf(folder: string) {
  const files: Record<string, string> = {};
  for await (const path of walkFiles(folder)) {
    if (path.split("/").some((part) => part.startsWith("."))) continue;
    files[path] = (await hashFile(join(folder, path))).sha256;
  }
  const digest = treeHash(Object.entries(files).map(([path, sha256]) => ({ path, sha256 })));
  return { schema: "lg-cav/bundle-manifest", version: 1, files, sha256: digest };
}
