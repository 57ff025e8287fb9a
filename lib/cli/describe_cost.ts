import { type Estimate, gigabytes, type PlanCost, type Speeds } from "../pipeline/mod.ts";

/** What a plan costs and takes, in a sentence. */
export function describeCost(
  { stages, images, multiplyAdds, bytes, memory }: PlanCost,
  time?: { readonly seconds: number; readonly speeds: Speeds },
): string {
  return `${stages} stages, ${images} images, ${operationsInWords(multiplyAdds)}, ` +
    `${bytesInWords(bytes)} to store, ${bytesInWords(memory)} of memory for the largest` +
    (time ? `, about ${durationInWords(time.seconds)}, as ${measuredBy(time.speeds)}` : "") + ".";
}

/** What a stage costs, after its work. */
export function describeEstimate(estimate: Estimate | undefined): string {
  const { images = 0, multiplyAdds = 0, shared = 0, bytes = 0 } = estimate ?? {};
  const parts = [
    ...(images > 0 ? [`${images} images`] : []),
    ...(multiplyAdds + shared > 0 ? [operationsInWords(multiplyAdds + shared)] : []),
    ...(bytes > 0 ? [bytesInWords(bytes)] : []),
  ];
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}

function measuredBy({ models, products }: Speeds): string {
  return models.length > 0
    ? `measured here with ${models.map(({ name }) => name).join(", ")}`
    : `this machine multiplies matrices at ${Math.round(2 * products / 1e9)} GFLOP/s`;
}

/** A duration in words: "40 s", "12 min", "3.5 h". */
export function durationInWords(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** A multiply-add is two floating-point operations. */
function operationsInWords(multiplyAdds: number): string {
  const operations = 2 * multiplyAdds / 1e12;
  return `${operations.toFixed(operations < 10 ? 2 : 0)} TFLOP`;
}

/** A size in words: "12 MB", "3.4 GB". */
export function bytesInWords(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : gigabytes(bytes);
}
