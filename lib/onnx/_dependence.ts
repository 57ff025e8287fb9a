import { UserError } from "../files/mod.ts";
import { isStandard, type Program, readNames } from "./_program.ts";
import type { NodeProto, ValueInfoProto } from "./_schema.ts";
import { type OperandRule, operandRule } from "./gradients/mod.ts";

/** A value that a node reads, and how a gradient reaches it: see {@linkcode operandRule}. */
export interface Operand {
  readonly name: string;
  readonly index: number;
  readonly rule: OperandRule | null | undefined;
}

/** What a node reads. Values that the graphs inside a node capture have no rule. */
export function operandsOf(node: NodeProto): Operand[] {
  const direct = node.input.map((name, index) => ({
    name,
    index,
    rule: operandRule(node, index),
  }));
  const captured = readNames(node).slice(direct.filter(({ name }) => name !== "").length);
  return [
    ...direct.filter(({ name }) => name !== ""),
    ...captured.map((name) => ({ name, index: -1, rule: undefined })),
  ];
}

/** The values whose numbers, not shapes alone, change with one of `roots`; those among them. */
export function dependents(program: Program, roots: Iterable<string>): ReadonlySet<string> {
  const found = new Set(roots);
  for (const node of program.nodes) {
    if (operandsOf(node).some(({ name, rule }) => rule !== null && found.has(name))) {
      node.output.forEach((name) => found.add(name));
    }
  }
  return found;
}

/** The value behind those that are the same by another name: the operand of Identity or Dropout. */
export function originOf(program: Program, name: string): string {
  const node = program.producers.get(name);
  const isSame = node !== undefined && isStandard(node) &&
    (node.op_type === "Identity" || (node.op_type === "Dropout" && node.output[0] === name));
  return isSame ? originOf(program, node.input[0]!) : name;
}

/** What the file says of a value or of the one behind it. */
export function declaredInfo(program: Program, name: string): ValueInfoProto | undefined {
  return program.declared.get(name) ?? program.declared.get(originOf(program, name));
}

/** The extents of a value as far as the file states them, names where they vary. */
export function declaredShape(
  program: Program,
  name: string,
): readonly (number | string | undefined)[] | undefined {
  return declaredInfo(program, name)?.type?.tensor_type?.shape?.dim
    .map(({ dim_value, dim_param }) => dim_value ?? (dim_param || undefined));
}

/**
 * Refuses names that no value of the graph has.
 *
 * @throws {UserError} which names them.
 */
export function checkValues(
  program: Program,
  names: readonly string[],
  { action }: { readonly action: string },
): void {
  const inputs = program.inputs.map(({ name }) => name);
  const unknown = names.filter((name) => !inputs.includes(name) && !program.producers.has(name));
  if (unknown.length === 0) return;
  throw new UserError(
    `${action}: the graph has no value ${unknown.join(", ")}; name an input, an output or the ` +
      `output of a node.`,
  );
}
