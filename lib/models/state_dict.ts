import { UserError } from "../files/mod.ts";
import type { Tensor } from "../tensor/mod.ts";

/**
 * The parameters of a state dict under the names in use now, checked to be exactly those expected,
 * by key and shape. `num_batches_tracked` counters, which inference does not need, are dropped;
 * torchvision's old DenseNet names ("denselayer1.norm.1.weight") become "denselayer1.norm1.weight".
 *
 * @throws {UserError} listing missing, surplus and wrongly shaped keys.
 */
export function checkStateDict(
  weights: ReadonlyMap<string, Tensor>,
  { name, parameters }: {
    /** The model, for the error. */
    readonly name: string;
    readonly parameters: ReadonlyMap<string, readonly number[]>;
  },
): ReadonlyMap<string, Tensor> {
  const named = new Map(
    [...weights]
      .filter(([key]) => !key.endsWith(".num_batches_tracked"))
      .map(([key, value]) => [currentName(key), value]),
  );
  const problems = [
    listed("missing", [...parameters.keys()].filter((key) => !named.has(key))),
    listed("surplus", [...named.keys()].filter((key) => !parameters.has(key))),
    listed(
      "wrongly shaped",
      [...parameters].flatMap(([key, shape]) => {
        const found = named.get(key)?.shape;
        if (found === undefined || String(found) === String(shape)) return [];
        return [`${key} [${found}] instead of [${shape}]`];
      }),
    ),
  ].filter((problem) => problem !== "");
  if (problems.length === 0) return named;
  throw new UserError(
    `The weights for ${name} do not fit its architecture: ${problems.join("; ")}. ` +
      `Give the weights of this very model, or correct the sizes in its config.`,
  );
}

function currentName(key: string): string {
  return key.replace(/(denselayer\d+\.(?:norm|conv))\.([12]\.\w+)$/, "$1$2");
}

function listed(problem: string, keys: readonly string[]): string {
  return keys.length === 0 ? "" : `${problem} ${keys.join(", ")}`;
}
