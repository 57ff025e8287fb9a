import type { PreTrainedTokenizer } from "@huggingface/transformers";

/** How a VL model reads texts: its tokenizer, and how many tokens its text tower takes. */
export interface TextReader {
  readonly tokenizer: PreTrainedTokenizer;
  /** Tokens of a text at most, the marks of start and end among them. */
  readonly maxTokens: number;
}

/** What a VL model cannot take in of some texts. */
export interface TextGaps {
  /**
   * Words that the tokenizer does not hold whole, sorted: they are spelled in pieces, or unknown to
   * it. A model with a small vocabulary has hardly learned them.
   */
  readonly unknownWords: readonly string[];
  /** The texts that are longer than the text tower takes; it sees their beginning only. */
  readonly truncated: readonly string[];
}

/** Endings that CLIP's tokenizer splits off, as in "bird's". */
const CLITICS = /'(?:s|t|re|ve|m|ll|d)\b/gi;

/**
 * The token ids of each text with its marks of start and end. A text that is too long loses what
 * stands before its mark of end, as CLIP's and BERT's own tokenizers have it: a text tower pools at
 * that mark.
 */
export function tokensOf(
  texts: readonly string[],
  { tokenizer, maxTokens }: TextReader,
): readonly (readonly number[])[] {
  if (texts.length === 0) return [];
  const { input_ids } = tokenizer([...texts], { return_tensor: false });
  return (input_ids as number[][]).map((ids) =>
    ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - 1), ids.at(-1)!]
  );
}

/** The words of texts that a tokenizer does not hold whole, and the texts that are cut. */
export function gapsOf(texts: readonly string[], { tokenizer, maxTokens }: TextReader): TextGaps {
  const words = new Set(
    texts.flatMap((text) => text.replaceAll(CLITICS, " ").match(/[\p{L}\p{M}]+/gu) ?? []),
  );
  const isWhole = (word: string) => {
    const ids = tokenizer.encode(word, { add_special_tokens: false });
    return ids.length === 1 && ids[0] !== tokenizer.unk_token_id;
  };
  return {
    unknownWords: [...words].filter((word) => !isWhole(word)).sort(),
    truncated: texts.filter((text) => tokenizer.encode(text).length > maxTokens),
  };
}

/** Ids of texts as one matrix [texts, length], row by row, filled up with `padId`. */
export function padded(
  tokens: readonly (readonly number[])[],
  { length, padId }: { readonly length: number; readonly padId: number },
): Int32Array {
  const matrix = new Int32Array(tokens.length * length).fill(padId);
  for (const [i, ids] of tokens.entries()) matrix.set(ids, i * length);
  return matrix;
}
