/** Float32 tensors and seeded random numbers, on which everything else stands. */
export * from "./dtype.ts";
export * from "./random.ts";
export * from "./safetensors.ts";
export * from "./tensor.ts";
