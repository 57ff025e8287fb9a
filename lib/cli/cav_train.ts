import { buildCommand } from "@stricli/core";
import { relative, resolve } from "node:path";
import { placeBundle, readBundle, requirePlace } from "../cav/mod.ts";
import { parseWords } from "../concepts/mod.ts";
import { readText, requireWritable, UserError } from "../files/mod.ts";
import {
  isOnnxFile,
  loadProfile,
  loadValue,
  planBundle,
  type PlannedBundle,
} from "../pipeline/mod.ts";
import { openDigests, openStore } from "../store/mod.ts";
import { choicesOf, type ModelFlags, modelFlags, optionalText, parseCount } from "./cav_flags.ts";
import type { CliContext } from "./context.ts";
import { planFlags } from "./plan_flags.ts";
import { corruptLine } from "./progress.ts";
import { parseJobs } from "./reproduce.ts";
import { runStages } from "./run_stages.ts";
import { sayUnreadable } from "./say_unreadable.ts";

interface TrainFlags extends ModelFlags {
  readonly model: string;
  readonly concepts: string;
  readonly probes: string;
  readonly labels?: string;
  readonly layer?: string;
  readonly positives?: string;
  readonly vl?: string;
  readonly method?: readonly string[];
  readonly seeds?: number;
  readonly out: string;
  readonly device: "cpu" | "webgpu" | "cuda";
  readonly jobs: number;
  readonly json: boolean;
}

/** `cav train`: CAVs from words, as a bundle. */
export const cavTrainCommand = buildCommand<TrainFlags, [], CliContext>({
  docs: {
    brief: "Train CAVs of words for a model, and write them as a bundle",
    fullDescription: [
      "A file of words, one a line, or with a description: `striped: a surface with parallel",
      "stripes`. Language guides the vectors on unlabelled images; a folder of images for each",
      "word (--positives) adds the classification loss and DSR. What was computed before is not",
      "computed again: one more word trains one word.",
      "",
      "Examples:",
      "  deno task cav train --model resnet18 --probes world --concepts words.txt --out bundle",
      "  deno task cav train --model model.onnx --probes photos --concepts words.txt \\",
      "    --labels classes.txt --out bundle",
      "  deno task cav train --model model.onnx --probes photos --concepts words.txt \\",
      "    --positives examples --method lg_cav+ga+ce+dsr,original_cav --seeds 8 --out bundle",
    ].join("\n"),
  },
  parameters: {
    flags: {
      model: { kind: "parsed", parse: String, brief: "An ONNX file, or a backbone by name" },
      concepts: { kind: "parsed", parse: String, brief: "A text file of words, one a line" },
      probes: {
        kind: "parsed",
        parse: String,
        brief: "A folder of unlabelled images, or world for those of the embedded world",
      },
      labels: optionalText("A text file of the classes' names, in the order of the logits"),
      layer: optionalText(
        "The value that holds the features; the last linear layer's input if left out",
      ),
      positives: optionalText("A folder with a folder of images for each word"),
      vl: optionalText(
        "The vision-language model, a name in configs/vl; CLIP ViT-L/14 if left out",
      ),
      method: {
        kind: "parsed",
        parse: String,
        brief: "Methods in configs/methods, as a,b",
        variadic: ",",
        optional: true,
      },
      seeds: {
        kind: "parsed",
        parse: parseCount,
        brief: "How many seeds; 4 if left out",
        optional: true,
      },
      out: { kind: "parsed", parse: String, brief: "The folder of the bundle" },
      ...modelFlags,
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
  func: async function (flags) {
    const { root, storeRoot, process: { stdout, stderr } } = this;
    const path = (name: string) => resolve(root, name);
    const { words, repeated } = parseWords(await readText(path(flags.concepts)), {
      file: flags.concepts,
    });
    if (repeated.length > 0) {
      stderr.write(`Left out words that came twice: ${repeated.join(", ")}.\n`);
    }
    const profile = await loadProfile(root, flags.profile ?? usualProfile(flags));
    const out = path(flags.out);
    requirePlace(out);
    await requireWritable(resolve(out, ".."));
    const plan = await planBundle({
      root,
      profile,
      model: flags.model,
      layer: flags.layer,
      choices: await choicesOf(flags, { root }),
      words,
      probes: flags.probes === "world" ? "world" : path(flags.probes),
      positives: flags.positives === undefined ? undefined : path(flags.positives),
      classNames: flags.labels === undefined
        ? undefined
        : classNamesOf(await readText(path(flags.labels)), flags.labels),
      vl: flags.vl,
      methods: flags.method,
      seeds: flags.seeds === undefined
        ? undefined
        : Array.from({ length: flags.seeds }, (_, seed) => seed),
      engine: "ort",
      device: flags.device,
    }, { digests: openDigests(storeRoot) });
    sayGuess(this, plan);
    const store = openStore(storeRoot, { onCorrupt: (file) => stderr.write(corruptLine(file)) });
    await runStages(this, { ...plan, device: flags.device }, {
      targets: [plan.bundle.key, ...plan.images.map(({ readable }) => readable.key)],
      store,
      jobs: flags.jobs,
    });
    await sayUnreadable(this, plan.images, store);
    await placeBundle((await loadValue(plan.bundle, store)).folder, out);
    const { metrics, config } = await readBundle(out);
    if (flags.json) stdout.write(`${JSON.stringify({ folder: out, config, metrics })}\n`);
    else stdout.write(qualityTable(metrics));
    stderr.write(`Wrote ${relative(root, out) || "."}\n`);
  },
});

/** The world's own images go with its models; a user's model with the VL models that are released. */
function usualProfile({ model, probes }: Pick<TrainFlags, "model" | "probes">): string {
  return probes === "world" || !isOnnxFile(model) ? "world" : "paper";
}

function classNamesOf(content: string, file: string): string[] {
  const names = content.replace(/^\ufeff/, "").trimEnd().split(/\r?\n/).map((line) => line.trim());
  const empty = names.indexOf("");
  if (empty === -1) return names;
  throw new UserError(`Line ${empty + 1} of ${file} is empty. Write one class a line.`);
}

/** Preprocessing that nobody stated is worth a sentence: wrong, it makes every feature wrong. */
function sayGuess({ process: { stderr } }: CliContext, { model: { inspected } }: PlannedBundle) {
  if (inspected === undefined || inspected.preprocess.certainty === "given") return;
  const { certainty, why } = inspected.preprocess;
  stderr.write(`The preprocessing is ${certainty} (${why}); say it with --preprocess.\n`);
}

/** A line for each concept and method, those that should not be relied on marked. */
function qualityTable(
  { concepts }: Awaited<ReturnType<typeof readBundle>>["metrics"],
): string {
  const number = (value: number | null, digits: number) =>
    value === null ? "-" : value.toFixed(digits);
  const rows = concepts.map(({ concept, method, fit, controlFit, angleBetweenSeeds, concerns }) => [
    concept,
    method,
    number(fit, 2),
    number(controlFit, 2),
    number(angleBetweenSeeds, 0),
    concerns.join(" "),
  ]);
  const all = [["concept", "method", "fit", "control", "angle", ""], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  return all.map((cells) =>
    `${
      cells.map((cell, column) => column < 5 ? cell.padEnd(widths[column]!) : cell).join("  ")
        .trimEnd()
    }\n`
  ).join("");
}
