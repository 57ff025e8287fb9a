import { createGraph, type Value } from "../onnx/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Layer } from "./architectures/mod.ts";

/** Shapes of the parameters that layers and all before them have, by key, in order of computation. */
export function parametersOf(layers: readonly Layer[]): ReadonlyMap<string, readonly number[]> {
  return new Map(
    layersOf(layers).flatMap((layer) => Object.entries(layer.parameters)),
  );
}

/**
 * The ONNX model that computes the named layers from `pixels` [batch, 3, size, size], and nothing
 * that none of them needs.
 */
export function networkGraph(
  outputs: Readonly<Record<string, Layer>>,
  weights: ReadonlyMap<string, Tensor>,
): Uint8Array {
  const graph = createGraph("backbone");
  const values = new Map<Layer, Value>();
  for (const layer of layersOf(Object.values(outputs))) {
    const inputs = layer.inputs.map((input) => values.get(input)!);
    values.set(layer, layer.lower(inputs, { graph, parameter: (key) => weights.get(key)! }));
  }
  for (const [name, layer] of Object.entries(outputs)) {
    graph.output(values.get(layer)!, name, ["batch", ...layer.shape]);
  }
  return graph.build();
}

/** The layers and all that they depend on, each once, after its inputs. */
export function layersOf(layers: readonly Layer[]): Layer[] {
  const ordered = new Set<Layer>();
  const pending = layers.toReversed();
  for (let layer = pending.at(-1); layer !== undefined; layer = pending.at(-1)) {
    const input = ordered.has(layer) ? undefined : layer.inputs.find((one) => !ordered.has(one));
    if (input !== undefined) pending.push(input);
    else {
      ordered.add(layer);
      pending.pop();
    }
  }
  return [...ordered];
}
