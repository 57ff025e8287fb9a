/** Backbones, vision-language models and the weights they are made of. */
export * from "./sentence_encoder.ts";
export * from "./vl.ts";
export * from "./weights/mod.ts";
export * from "./backbone.ts";
export * from "./cost.ts";
export * from "./custom_onnx.ts";
export * from "./grad_cam.ts";
export * from "./logit_gradients.ts";
export { textRuntimeVersion } from "./_hub_model.ts";
export * from "./inspect_model.ts";
export * from "./own_model.ts";
export * from "./check_gradient.ts";
