/** ONNX graphs: written, read, run by onnxruntime; tfjs as the autodiff reference. */
export * from "./graph.ts";
export * from "./model_file.ts";
export * from "./session.ts";
export * from "./tfjs.ts";
