import { cp } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../lib/files/mod.ts";
import { labelCsv, mask } from "../datasets/_broden_files.ts";
import { fileAnswer, serve, type Server } from "../sources/_server.ts";
import { storedZip } from "../sources/_zip.ts";
import { edit, repository } from "./_mini_root.ts";

const fixtures = join(repository, "tests", "fixtures");
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const read = (...path: string[]) => Deno.readFile(join(fixtures, ...path));
const bytes = (text: string) => new TextEncoder().encode(text);

/** The files of a Broden of two images. */
export async function twoImages(): Promise<Readonly<Record<string, Uint8Array>>> {
  const index = [
    "image,split,ih,iw,sh,sw,color,object,part,material,scene,texture",
    "d/a.jpg,train,64,64,2,2,,,,,,6",
    "d/b.jpg,val,64,64,2,2,d/b_color.png,d/b_object.png,,,5,",
  ];
  return {
    "index.csv": bytes(index.join("\n") + "\n"),
    "label.csv": bytes(labelCsv),
    "category.csv": bytes("name,first,last,count,frequency\n"),
    "images/d/a.jpg": await read("data", "images", "size64x64.jpg"),
    "images/d/b.jpg": await read("data", "images", "quality75.jpg"),
    "images/d/b_color.png": await mask([1, 1, 0, 0], 2),
    "images/d/b_object.png": await mask([300, 3, 300, 300], 2),
  };
}

/** What the publishers serve, tiny: archive, weights, and two models of the hub at two commits. */
async function published(
  root: string,
  broden: Readonly<Record<string, Uint8Array>>,
): Promise<Record<string, Uint8Array>> {
  const weights = await read("models", "tiny-resnet18", "weights.pth");
  const archive = Object.entries(broden).map(([name, body]) => [`broden1_224/${name}`, body]);
  const bodies: Record<string, Uint8Array> = {
    "/broden1_224.zip": storedZip(Object.fromEntries(archive)),
    [`/resnet18-${sha256(weights).slice(0, 8)}.pth`]: weights,
    "/api/models/Xenova/all-mpnet-base-v2/revision/main": bytes(JSON.stringify({ sha: COMMIT })),
  };
  const sources = JSON.parse(await Deno.readTextFile(join(root, "configs", "sources.json")));
  const hub = [
    ["clip_vit_b_32", "Xenova/clip-vit-base-patch32", "tiny-clip"],
    ["all_mpnet_base_v2", "Xenova/all-mpnet-base-v2", "tiny-sentence-encoder"],
  ] as const;
  for (const [name, id, fixture] of hub) {
    const { revision, files } = sources.models[name];
    const commit = revision === "main" ? COMMIT : revision;
    for (const file of files) {
      bodies[`/${id}/resolve/${commit}/${file}`] = await read("models", fixture, file);
    }
  }
  return bodies;
}

/**
 * A root like the repository whose configs lead to a local server of what the profile `quick` reads:
 * a Broden of these files, a ResNet-18 of width 2, a tiny CLIP and a tiny sentence encoder.
 */
export async function withPublishers(
  broden: Readonly<Record<string, Uint8Array>>,
  work: (root: string, server: Server) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const folder of ["configs", "experiments"]) {
      await cp(join(repository, folder), join(root, folder), { recursive: true });
    }
    const bodies = await published(root, broden);
    await using server = serve((asked) => {
      const body = bodies[asked.path];
      return body === undefined ? { status: "404 Not Found" } : fileAnswer(body, asked);
    });
    const weights = Object.keys(bodies).find((path) => path.startsWith("/resnet18-"))!;
    await edit(join(root, "configs", "sources.json"), (config) => config.hub = server.url);
    await edit(join(root, "configs", "datasets", "broden.json"), (config) => {
      config.archives[0].url = `${server.url}/broden1_224.zip`;
    });
    await edit(join(root, "configs", "backbones", "resnet18.json"), (config) => {
      config.architecture = { ...config.architecture, width: 2, imageSize: 32 };
      config.preprocess = { ...config.preprocess, resize: { shorter: 36 }, crop: 32 };
      config.weights.url = `${server.url}${weights}`;
      config.weights.sha256Prefix = weights.slice("/resnet18-".length, -".pth".length);
    });
    await work(root, server);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
