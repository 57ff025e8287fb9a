/** The gradient of each operator with respect to its operands. */
import { attributesOf } from "../_attributes.ts";
import { isStandard } from "../_program.ts";
import type { NodeProto } from "../_schema.ts";
import { activationRules } from "./_activations.ts";
import { arithmeticRules } from "./_arithmetic.ts";
import { convolutionRules } from "./_convolution.ts";
import { matrixRules } from "./_matrices.ts";
import { normalisationRules } from "./_normalisation.ts";
import { poolingRules } from "./_pooling.ts";
import { reductionRules } from "./_reductions.ts";
import { selectionRules } from "./_selections.ts";
import { shapeRules } from "./_shapes.ts";
import type { GradientRule, OperandRule } from "./_step.ts";

export type { OperandRule, Step } from "./_step.ts";

const rules = new Map<string, GradientRule>(Object.entries({
  ...activationRules,
  ...arithmeticRules,
  ...convolutionRules,
  ...matrixRules,
  ...normalisationRules,
  ...poolingRules,
  ...reductionRules,
  ...selectionRules,
  ...shapeRules,
}));

/** Operators whose results are whole numbers, conditions or steps, or depend on shapes alone. */
const withoutGradient: ReadonlySet<string> = new Set([
  "And",
  "ArgMax",
  "ArgMin",
  "Ceil",
  "ConstantOfShape",
  "Equal",
  "EyeLike",
  "Floor",
  "Greater",
  "GreaterOrEqual",
  "IsInf",
  "IsNaN",
  "Less",
  "LessOrEqual",
  "NonZero",
  "Not",
  "Or",
  "Range",
  "Round",
  "Shape",
  "Sign",
  "Size",
  "Xor",
]);

/**
 * The rule for one operand of a node: `null` where no gradient goes, undefined where the gradient
 * is not implemented.
 */
export function operandRule(node: NodeProto, operand: number): OperandRule | null | undefined {
  if (!isStandard(node)) return undefined;
  if (withoutGradient.has(node.op_type)) return null;
  const rule = rules.get(node.op_type);
  if (typeof rule !== "function") return rule?.[operand];
  return rule({ attributes: attributesOf(node), inputs: node.input })[operand];
}
