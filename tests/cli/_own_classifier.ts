import { join } from "node:path";
import { createGraph } from "../../lib/onnx/mod.ts";
import { createRandom, tensor } from "../../lib/tensor/mod.ts";

/** What is special about a user's own classifier. */
export interface OwnClassifier {
  /** The names of its logits, in their order. */
  readonly classNames: readonly string[];
  /** The class, by its place in the order of the weights, that each logit stands for. */
  readonly order?: readonly number[];
  /** The width and height of its images; the world's when left out. */
  readonly imageSize?: number;
}

/**
 * A classifier of the mean colour, as an ONNX file: pixels [batch, 3, imageSize, imageSize] to logits. Its
 * weights are drawn at random by the place of the class, whatever the order of the logits.
 */
export function colourClassifier({ classNames, order, imageSize = 64 }: OwnClassifier): Uint8Array {
  const classes = classNames.length;
  const graph = createGraph("colours");
  const random = createRandom("colours");
  const values = (count: number) => Float32Array.from({ length: count }, random.normal);
  const pixels = graph.input("pixels", ["batch", 3, imageSize, imageSize]);
  const means = graph.node("Flatten", [graph.node("GlobalAveragePool", [pixels])]);
  const hidden = graph.node("Relu", [
    graph.node("Gemm", [means, graph.constant(tensor([3, 16], values(48)))]),
  ]);
  const rows = Array.from({ length: classes }, () => values(17));
  const chosen = (order ?? rows.map((_, place) => place)).map((place) => rows[place]!);
  const weight = tensor(
    [16, classes],
    Float32Array.from(
      { length: 16 * classes },
      (_, i) => chosen[i % classes]![Math.floor(i / classes)]!,
    ),
  );
  const bias = tensor([classes], Float32Array.from(chosen, (row) => row[16]!));
  const last = [weight, bias].map((part) => graph.constant(part));
  graph.output(graph.node("Gemm", [hidden, ...last]), "logits", ["batch", classes]);
  return graph.build();
}

/** Puts a classifier and its config into a mini root under a name. */
export async function addClassifier(
  root: string,
  name: string,
  classifier: OwnClassifier,
): Promise<void> {
  await Deno.mkdir(join(root, "data"), { recursive: true });
  await Deno.writeFile(join(root, "data", `${name}.onnx`), colourClassifier(classifier));
  await Deno.writeTextFile(
    join(root, "data", `${name}.txt`),
    `\ufeff${classifier.classNames.join("\r\n")}`,
  );
  await Deno.writeTextFile(
    join(root, "configs", "backbones", `${name}.json`),
    JSON.stringify({
      name,
      family: "onnx",
      file: `data/${name}.onnx`,
      classNames: `data/${name}.txt`,
      preprocess: {
        resize: null,
        interpolation: "bilinear",
        crop: null,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
      },
    }),
  );
}
