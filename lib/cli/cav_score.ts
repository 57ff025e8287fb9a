import { buildCommand } from "@stricli/core";
import { join, relative, resolve } from "node:path";
import { readBundle } from "../cav/mod.ts";
import { requireWritable, UserError, writeFileAtomically } from "../files/mod.ts";
import { imageNames, loadValue, planScores } from "../pipeline/mod.ts";
import { endImages, endImagesCsv, scoresArrow, scoresCsv } from "../report/mod.ts";
import { openDigests, openStore } from "../store/mod.ts";
import { optionalText, parseCount } from "./cav_flags.ts";
import type { CliContext } from "./context.ts";
import { planFlags } from "./plan_flags.ts";
import { corruptLine } from "./progress.ts";
import { parseJobs } from "./reproduce.ts";
import { runStages } from "./run_stages.ts";
import { sayUnreadable } from "./say_unreadable.ts";

interface ScoreFlags {
  readonly images: string;
  readonly out: string;
  readonly model?: string;
  readonly method?: string;
  readonly top: number;
  readonly device: "cpu" | "webgpu" | "cuda";
  readonly jobs: number;
  readonly json: boolean;
}

/** `cav score BUNDLE`: every image of a folder by every concept of a bundle. */
export const cavScoreCommand = buildCommand<ScoreFlags, [string], CliContext>({
  docs: {
    brief: "Score a folder of images by every concept of a bundle",
    fullDescription: [
      "Writes scores.csv and scores.arrow, one row an image and one column a concept: the cosine of",
      "the concept's vector with the image's feature, its mean over seeds; and top.csv, the images",
      "that each concept activates most and least.",
      "",
      "Examples:",
      "  deno task cav score bundle --images photos --out scores",
      "  deno task cav score bundle --images photos --model model.onnx --out scores",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ brief: "The folder of a bundle", parse: String, placeholder: "bundle" }],
    },
    flags: {
      images: { kind: "parsed", parse: String, brief: "A folder of images" },
      out: { kind: "parsed", parse: String, brief: "The folder of the scores" },
      model: optionalText("The ONNX file that the bundle was made for"),
      method: optionalText("One of the bundle's methods; the first if left out"),
      top: { kind: "parsed", parse: parseCount, brief: "Images of each end", default: "10" },
      device: planFlags.device,
      jobs: {
        kind: "parsed",
        parse: parseJobs,
        brief: "Stages at once",
        default: String(navigator.hardwareConcurrency),
      },
      json: { kind: "boolean", brief: "Print JSON instead of a table", default: false },
    },
  },
  func: async function (flags, directory) {
    const { root, storeRoot, process: { stdout, stderr } } = this;
    const folder = resolve(root, directory);
    const bundle = await readBundle(folder);
    const out = resolve(root, flags.out);
    if (out === folder) throw new UserError("--out names the bundle itself. Name another folder.");
    await requireWritable(out);
    const plan = await planScores({
      root,
      folder,
      bundle,
      model: flags.model,
      images: resolve(root, flags.images),
      method: flags.method,
      device: flags.device,
    }, { digests: openDigests(storeRoot) });
    const store = openStore(storeRoot, { onCorrupt: (file) => stderr.write(corruptLine(file)) });
    await runStages(this, { ...plan, device: flags.device }, {
      targets: [plan.scores.key, plan.images.readable.key],
      store,
      jobs: flags.jobs,
    });
    await sayUnreadable(this, [plan.images], store);
    const scores = {
      images: await imageNames(plan.images, store),
      concepts: bundle.config.concepts.map(({ name }) => name),
      activations: (await loadValue(plan.scores, store)).activations,
    };
    const ends = endImages(scores, { count: flags.top });
    const encoder = new TextEncoder();
    const files = {
      "scores.csv": Array.from(scoresCsv(scores), (line) => encoder.encode(line)),
      "scores.arrow": [scoresArrow(scores)],
      "top.csv": [encoder.encode(endImagesCsv(ends))],
    };
    for (const [name, parts] of Object.entries(files)) {
      await writeFileAtomically(join(out, name), ...parts);
      stderr.write(`Wrote ${relative(root, join(out, name))}\n`);
    }
    if (flags.json) stdout.write(`${JSON.stringify({ folder: out, top: ends })}\n`);
    else {
      for (const { concept, end, rank, image, activation } of ends) {
        if (rank === 1) stdout.write(`${concept}, ${end}: ${image} (${activation.toFixed(3)})\n`);
      }
    }
  },
});
