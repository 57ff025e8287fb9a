import { normaliseRows, type Tensor } from "../tensor/mod.ts";
import type { CavEngine } from "./engine.ts";

/**
 * a_c(x) = cosine(g_text(c), g_img(x)) of each text with each image of a pool, [texts, images].
 *
 * @param texts text features, [texts, dim]
 * @param images image features of the VL model, [images, dim]
 */
export function textActivations(
  texts: Tensor,
  images: Tensor,
  { engine }: { readonly engine: CavEngine },
): Promise<Tensor> {
  return engine.product(normaliseRows(texts), normaliseRows(images));
}
