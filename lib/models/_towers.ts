import type { PreprocessSpec } from "../config/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { TextReader } from "./_text_tokens.ts";

/** The two encoders of a VL model, opened from files of whatever layout. */
export interface Towers extends TextReader {
  readonly preprocess: PreprocessSpec;
  /** Features [texts, V] of texts as token ids. */
  encodeTokens(tokens: readonly (readonly number[])[]): Promise<Tensor>;
  /** Features [images, V] of preprocessed images [images, 3, height, width]. */
  encodePixels(pixels: Tensor): Promise<Tensor>;
  close(): Promise<void>;
}
