import { createGraph, type Device, openSession } from "../onnx/mod.ts";
import { zeros } from "../tensor/mod.ts";

/** Which share of a matrix product's rate models reach: 0.7 to 0.95, measured over the backbones. */
const share = 0.8;

/** Side of the matrices: large enough to fill the processor, small enough for a fraction of a second. */
const side = 1024;

/** How long models take, as this machine multiplies matrices. */
export interface ModelTime {
  readonly seconds: number;
  /** Of the matrix product that was timed; a multiply-add is two operations. */
  readonly gigaflops: number;
}

/** Estimates the seconds that models take for some multiply-adds from one timed matrix product. */
export async function modelTime(
  multiplyAdds: number,
  { device }: { readonly device: Device },
): Promise<ModelTime> {
  const graph = createGraph("product");
  const [a, b] = [graph.input("a", [side, side]), graph.input("b", [side, side])];
  graph.output(graph.node("ReduceMax", [graph.node("MatMul", [a, b])], { keepdims: 0 }), "y");
  const session = await openSession(graph.build(), { device });
  const matrix = zeros([side, side]);
  const seconds = async () => {
    const started = performance.now();
    await session.run({ a: matrix, b: matrix }, ["y"]);
    return (performance.now() - started) / 1000;
  };
  try {
    await seconds();
    const best = Math.min(await seconds(), await seconds(), await seconds());
    const rate = 2 * side ** 3 / best;
    return { seconds: 2 * multiplyAdds / (share * rate), gigaflops: rate / 1e9 };
  } finally {
    await session.close();
  }
}

/** A duration in words: "40 s", "12 min", "3.5 h". */
export function durationInWords(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
