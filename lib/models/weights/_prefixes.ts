import type { StateDict } from "./pth.ts";

/** What wrappers put before every name: DataParallel, torch.compile, and Lightning's usual attribute. */
const prefixes = ["module.", "_orig_mod.", "model."];
const MAX_WRAPPERS = 4;
/** AveragedModel's counter, which stands beside the names that it prefixes. */
const counter = "n_averaged";

/** Takes off the names what wrappers put before each of them. */
export function withoutPrefixes(weights: StateDict): StateDict {
  let { tensors, remarks } = weights;
  for (let wrapper = 0; wrapper < MAX_WRAPPERS; wrapper++) {
    const names = [...tensors.keys()].filter((name) => name !== counter);
    const prefix = prefixes.find((start) => names.every((name) => name.startsWith(start)));
    if (prefix === undefined || names.length === 0) break;
    const wrapped = tensors;
    tensors = new Map(names.map((name) => [name.slice(prefix.length), wrapped.get(name)!]));
    remarks = [...remarks, `"${prefix}" is taken off the names`];
  }
  return { tensors, remarks };
}
