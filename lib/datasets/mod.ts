/** Datasets: readers of the real formats. */
export * from "./broden.ts";
export * from "./broden_labels.ts";
export * from "./cifar100.ts";
export * from "./class_view.ts";
export * from "./cub200.ts";
export * from "./factors.ts";
export * from "./image_folder.ts";
export * from "./imagenet.ts";
export * from "./interventions.ts";
export * from "./shown_labels.ts";
export { ilsvrc2012Classes } from "./_ilsvrc2012.ts";
