/** Experiments as data: factors, cells, and what is shown of their runs. */
export * from "./beside.ts";
export * from "./dials.ts";
export * from "./exhibit.ts";
export * from "./experiment.ts";
export * from "./factors.ts";
export * from "./run.ts";
