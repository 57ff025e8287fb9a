import type * as tfCore from "@tensorflow/tfjs-core";

type Tf = typeof tfCore;
type Tensor = tfCore.Tensor;
type Rule = Parameters<Tf["registerGradient"]>[0];

/**
 * Registers the derivative rules of the operators that the losses of this project use, from which
 * the runtime's tape composes any gradient. The runtime's own rules are in modules that only a
 * bundler can import; where a bundle has brought them along, they stay.
 */
export function registerGradients(tf: Tf): void {
  for (const rule of [...elementwiseRules(tf), sumRule(tf), matMulRule(tf)]) {
    if (tf.getGradient(rule.kernelName) === undefined) tf.registerGradient(rule);
  }
}

function elementwiseRules(tf: Tf): Rule[] {
  const unary = (kernelName: string, derivative: (dy: Tensor, x: Tensor) => Tensor): Rule => ({
    kernelName,
    inputsToSave: ["x"],
    gradFunc: (dy, [x]) => ({ x: () => derivative(dy as Tensor, x!) }),
  });
  type Derivative = (dy: Tensor, a: Tensor, b: Tensor) => Tensor;
  const binary = (kernelName: string, toA: Derivative, toB: Derivative): Rule => ({
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => ({
      a: () => sumTo(tf, toA(dy as Tensor, a!, b!), a!.shape),
      b: () => sumTo(tf, toB(dy as Tensor, a!, b!), b!.shape),
    }),
  });
  return [
    binary("Add", (dy) => dy, (dy) => dy),
    binary("Sub", (dy) => dy, (dy) => tf.neg(dy)),
    binary("Multiply", (dy, _, b) => tf.mul(dy, b), (dy, a) => tf.mul(dy, a)),
    binary(
      "RealDiv",
      (dy, _, b) => tf.div(dy, b),
      (dy, a, b) => tf.neg(tf.div(tf.mul(dy, a), tf.square(b))),
    ),
    unary("Square", (dy, x) => tf.mul(dy, tf.mul(x, 2))),
    unary("Sqrt", (dy, x) => tf.div(dy, tf.mul(tf.sqrt(x), 2))),
    unary("Softplus", (dy, x) => tf.mul(dy, tf.sigmoid(x))),
    unary("Reshape", (dy, x) => tf.reshape(dy, x.shape)),
  ];
}

/** Sums a gradient over the axes along which its operand was repeated. */
function sumTo(tf: Tf, gradient: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape);
}

function sumRule(tf: Tf): Rule {
  return {
    kernelName: "Sum",
    inputsToSave: ["x"],
    gradFunc: (dy, [x], { axis }) => {
      const axes = tf.util.parseAxisParam(axis as number[], x!.shape);
      const kept = x!.shape.map((extent, i) => axes.includes(i) ? 1 : extent);
      return { x: () => tf.mul(tf.reshape(dy as Tensor, kept), tf.onesLike(x!)) };
    },
  };
}

function matMulRule(tf: Tf): Rule {
  return {
    kernelName: "BatchMatMul",
    inputsToSave: ["a", "b"],
    gradFunc: (dy, saved, { transposeA, transposeB }) => {
      if (transposeA) throw new Error("The derivative of a product a' b is not implemented.");
      const [a, b] = saved as [Tensor, Tensor];
      const out = dy as Tensor;
      return {
        a: () => tf.matMul(out, b, false, !transposeB),
        b: () => transposeB ? tf.matMul(out, a, true) : tf.matMul(a, out, true),
      };
    },
  };
}
