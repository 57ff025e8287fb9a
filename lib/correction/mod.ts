/** Model correction: what retrains or replaces a classifier's last layer, one file per method. */
export * from "./correction_problem.ts";
export * from "./correct_last_layers.ts";
