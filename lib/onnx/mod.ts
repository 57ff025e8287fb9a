/** ONNX graphs: written, read, differentiated, run by onnxruntime; tfjs as the autodiff reference. */
export * from "./differentiable_values.ts";
export * from "./differentiate.ts";
export * from "./graph.ts";
export * from "./model_file.ts";
export * from "./session.ts";
export * from "./tail.ts";
export * from "./tfjs.ts";
