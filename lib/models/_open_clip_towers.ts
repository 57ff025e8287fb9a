import { join } from "node:path";
import { z } from "zod";
import { loadConfig } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import {
  type InputInfo,
  type Int32Tensor,
  openSession,
  type Session,
  type SessionOptions,
} from "../onnx/mod.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { type HubModelOptions, importTransformers } from "./_hub_model.ts";
import { readOpenClipPreprocess } from "./_preprocessor_config.ts";
import { padded } from "./_text_tokens.ts";
import type { Towers } from "./_towers.ts";

/** The files of an OpenCLIP export as immich publishes them. */
export const openClipFiles = [
  "config.json",
  "textual/model.onnx",
  "textual/tokenizer.json",
  "textual/tokenizer_config.json",
  "visual/model.onnx",
  "visual/preprocess_cfg.json",
];

/** open_clip's model config, as far as reading texts needs it. */
const modelConfig = z.looseObject({
  text_cfg: z.looseObject({ context_length: z.int().positive().default(77) }),
});

/**
 * Opens the towers of an OpenCLIP export: `textual/` takes int32 token ids [batch, context length],
 * `visual/` float32 images [batch, 3, height, width], both give normalised features in their one
 * output. The batch is the one that the graphs were exported with, mostly 1.
 *
 * @throws {UserError} when a tower takes other inputs or the preprocessing is not known.
 */
export async function openOpenClipTowers(
  folder: string,
  { device, threads }: HubModelOptions,
): Promise<Towers> {
  const { text_cfg } = await loadConfig(join(folder, "config.json"), modelConfig);
  const preprocess = await readOpenClipPreprocess(join(folder, "visual", "preprocess_cfg.json"));
  const { AutoTokenizer } = await importTransformers();
  const tokenizer = await AutoTokenizer.from_pretrained(join(folder, "textual"), {
    local_files_only: true,
  });
  const maxTokens = text_cfg.context_length;
  const open = (tower: string, takes: Pick<InputInfo, "type" | "shape">) =>
    openTower(join(folder, tower, "model.onnx"), { device, threads, takes });
  const text = await open("textual", { type: "int32", shape: ["batch", maxTokens] });
  const vision = await open("visual", { type: "float32", shape: ["batch", 3, "height", "width"] });
  return {
    preprocess,
    tokenizer,
    maxTokens,
    encodeTokens: (tokens) =>
      text.run({
        shape: [tokens.length, maxTokens],
        data: padded(tokens, { length: maxTokens, padId: tokenizer.pad_token_id }),
      }),
    encodePixels: (pixels) => vision.run(pixels),
    async close() {
      await text.close();
      await vision.close();
    },
  };
}

interface Tower {
  readonly run: (rows: Tensor | Int32Tensor) => Promise<Tensor>;
  readonly close: () => Promise<void>;
}

async function openTower(
  path: string,
  { takes, ...options }: SessionOptions & {
    readonly takes: Pick<InputInfo, "type" | "shape">;
  },
): Promise<Tower> {
  const session = await openSession(path, options);
  const [input, ...others] = session.inputInfo;
  if (input === undefined || others.length > 0 || !isLike(input, takes)) {
    const found = session.inputInfo.map(({ type, shape }) => `${type}[${shape}]`).join(", ");
    throw new UserError(
      `Opening ${path}: it takes ${found}, where ${takes.type}[${takes.shape}] is read. Get the ` +
        "revision of the model that takes it.",
    );
  }
  return { run: (rows) => runTower(session, { input, rows }), close: () => session.close() };
}

function isLike(
  { type, shape }: InputInfo,
  takes: Pick<InputInfo, "type" | "shape">,
): boolean {
  return type === takes.type && shape.length === takes.shape.length &&
    takes.shape.every((extent, i) =>
      typeof extent === "string" || typeof shape[i] === "string" || shape[i] === extent
    );
}

/** Runs as many rows at a time as the graph takes; a last part that is too short is filled up. */
async function runTower(
  session: Session,
  { input, rows }: { readonly input: InputInfo; readonly rows: Tensor | Int32Tensor },
): Promise<Tensor> {
  const [count = 0, ...extents] = rows.shape;
  const batch = typeof input.shape[0] === "number" ? input.shape[0] : count;
  const width = rows.data.length / count;
  const parts: Tensor[] = [];
  for (let from = 0; from < count; from += batch) {
    const part = rows.data.subarray(from * width, (from + batch) * width);
    const data = rows.data instanceof Int32Array
      ? new Int32Array(batch * width)
      : new Float32Array(batch * width);
    data.set(part);
    const feed = { shape: [batch, ...extents], data } as Tensor | Int32Tensor;
    const output = session.outputs[0]!;
    parts.push((await session.run({ [input.name]: feed }, [output]))[output]!);
  }
  const dimension = parts[0]!.shape[1]!;
  const joined = new Float32Array(parts.length * batch * dimension);
  for (const [i, { data }] of parts.entries()) joined.set(data, i * batch * dimension);
  return tensor([count, dimension], joined.subarray(0, count * dimension));
}
