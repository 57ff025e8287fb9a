/** Images: sets of them, decoding, and preprocessing equal to torchvision's and Pillow's. */
export * from "./check_images.ts";
export * from "./image.ts";
export * from "./image_set.ts";
export * from "./list_folder.ts";
export * from "./png.ts";
export * from "./preprocess.ts";
export * from "./preprocess_batch.ts";
export * from "./read_images.ts";
export * from "./resize.ts";
