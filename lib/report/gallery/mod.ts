/** Galleries of pictures: folds over runs and exhibits, as a page, a drawing and text. */
export * from "./fold_gallery.ts";
export * from "./gallery_html.ts";
export * from "./gallery_svg.ts";
export * from "./gallery_text.ts";
