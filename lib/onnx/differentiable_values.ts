import { checkValues, declaredShape, dependents, operandsOf } from "./_dependence.ts";
import { type Program, readProgram } from "./_program.ts";

/** An inner value or an input that a result can be differentiated with respect to. */
export interface DifferentiableValue {
  readonly name: string;
  /** What computes it; undefined for an input. */
  readonly operator: string | undefined;
  /** Extents as far as the file states them, names where they vary; undefined when it does not. */
  readonly shape: readonly (number | string | undefined)[] | undefined;
  /** Whether the result depends on the inputs through it alone, so that a tail can start there. */
  readonly isBottleneck: boolean;
}

/** An inner value or an input, and whether a gradient reaches it. */
export interface InnerValue extends DifferentiableValue {
  /** Whether {@linkcode differentiate} can write its gradient. */
  readonly hasGradient: boolean;
}

/**
 * The values of an ONNX graph, in the order of computation, that depend on its inputs, that `of`
 * depends on, and whose gradient {@linkcode differentiate} can write.
 *
 * @throws {RangeError} when the bytes are no ONNX model.
 * @throws {UserError} when `of` is not in the graph.
 */
export function differentiableValues(
  model: Uint8Array,
  options: { readonly of: string },
): DifferentiableValue[] {
  return innerValues(model, options)
    .flatMap(({ hasGradient, ...value }) => hasGradient ? [value] : []);
}

/** As {@linkcode differentiableValues}, with the values whose gradient cannot be written. */
export function innerValues(model: Uint8Array, { of }: { readonly of: string }): InnerValue[] {
  const program = readProgram(model);
  checkValues(program, [of], { action: `Listing the values that ${of} depends on` });
  const reached = reachedBack(program, of);
  const bottlenecks = bottlenecksOf(program, { of, reached });
  const inputs = program.inputs.map(({ name }) => ({ name, operator: undefined }));
  const inner = program.nodes.flatMap(({ output, op_type }) =>
    output.map((name) => ({ name, operator: op_type }))
  );
  return [...inputs, ...inner]
    .filter(({ name }) => name !== of && reached.has(name))
    .map((value) => ({
      ...value,
      shape: declaredShape(program, value.name),
      isBottleneck: bottlenecks.has(value.name),
      hasGradient: reached.get(value.name) === true,
    }));
}

/**
 * The operators between the inputs and `of` whose gradient {@linkcode differentiate} cannot write,
 * sorted, those of other domains with their domain.
 *
 * @throws {RangeError} when the bytes are no ONNX model.
 */
export function operatorsWithoutGradient(
  model: Uint8Array,
  { of }: { readonly of: string },
): string[] {
  const program = readProgram(model);
  checkValues(program, [of], { action: `Listing the operators that ${of} depends on` });
  const reached = reachedBack(program, of);
  const fromInputs = dependents(program, program.inputs.map(({ name }) => name));
  const found = program.nodes.filter((node) =>
    node.output.some((name) => name === of || reached.has(name)) &&
    operandsOf(node).some(({ name, rule }) => rule === undefined && fromInputs.has(name))
  );
  const names = found.map(({ domain, op_type }) => [domain, op_type].filter(Boolean).join("."));
  return [...new Set(names)].sort();
}

/** The values that a gradient of `of` reaches; false where an operator without a rule is between. */
function reachedBack(program: Program, of: string): ReadonlyMap<string, boolean> {
  const fromInputs = dependents(program, program.inputs.map(({ name }) => name));
  const reached = new Map([[of, true]]);
  for (const node of program.nodes.toReversed()) {
    const outputs = node.output.map((name) => reached.get(name)).filter((one) => one !== undefined);
    if (outputs.length === 0) continue;
    for (const { name, rule } of operandsOf(node)) {
      if (rule === null || !fromInputs.has(name)) continue;
      const isWritten = rule !== undefined && !outputs.includes(false);
      reached.set(name, isWritten && reached.get(name) !== false);
    }
  }
  return reached;
}

/** The values that, once computed, are the only ones that what is left to compute needs. */
function bottlenecksOf(
  program: Program,
  { of, reached }: { readonly of: string; readonly reached: ReadonlyMap<string, boolean> },
): ReadonlySet<string> {
  const nodes = program.nodes.filter(({ output }) => output.some((name) => reached.has(name)))
    .map((node) => ({
      output: node.output.filter((name) => reached.has(name)),
      read: operandsOf(node).filter(({ name, rule }) => rule !== null && reached.has(name))
        .map(({ name }) => name),
    }));
  const uses = new Map<string, number>();
  for (const name of nodes.flatMap(({ read }) => read)) uses.set(name, (uses.get(name) ?? 0) + 1);
  const pending = new Set(program.inputs.map(({ name }) => name).filter((name) => uses.has(name)));
  const found = new Set<string>(pending.size === 1 ? pending : []);
  for (const { output, read } of nodes) {
    for (const name of read) {
      uses.set(name, uses.get(name)! - 1);
      if (uses.get(name) === 0) pending.delete(name);
    }
    for (const name of output) if (name === of || uses.has(name)) pending.add(name);
    if (pending.size === 1) pending.forEach((name) => found.add(name));
  }
  return found;
}
