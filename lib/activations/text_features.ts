import { row, type Tensor, tensor } from "../tensor/mod.ts";

/** Text features of the concepts: of the one prompt of Eq. 3 and of each prompt of the ensemble. */
export interface ConceptTextFeatures {
  /** [concepts, width]. */
  readonly prompt: Tensor;
  /** [concepts, prompts, width]. */
  readonly ensemble: Tensor;
}

/** Fills a prompt template: "a photo of the {}." of "red_c" is "a photo of the red c.". */
export function fillPrompt(template: string, concept: string): string {
  return template.replace("{}", concept.replaceAll("_", " "));
}

/** How concepts become text features. */
export interface ConceptTextOptions {
  /** The template of plain LG-CAV. */
  readonly prompt: string;
  /** The templates of the concept ensemble. */
  readonly ensemble: readonly string[];
  /** Encodes texts to [texts, width]. */
  readonly encode: (texts: readonly string[]) => Promise<Tensor>;
}

/** Encodes every concept under every prompt, as the text encoder returns it (not normalised). */
export async function conceptTextFeatures(
  concepts: readonly string[],
  { prompt, ensemble, encode }: ConceptTextOptions,
): Promise<ConceptTextFeatures> {
  const templates = [prompt, ...ensemble];
  const texts = concepts.flatMap((concept) => templates.map((text) => fillPrompt(text, concept)));
  const encoded = await encode(texts);
  const width = encoded.shape[1] ?? 0;
  const prompts = new Float32Array(concepts.length * width);
  const ensembles = new Float32Array(concepts.length * ensemble.length * width);
  for (let position = 0; position < texts.length; position++) {
    const features = row(encoded, position);
    const concept = Math.floor(position / templates.length);
    const template = position % templates.length;
    if (template === 0) prompts.set(features, concept * width);
    else ensembles.set(features, (concept * ensemble.length + template - 1) * width);
  }
  return {
    prompt: tensor([concepts.length, width], prompts),
    ensemble: tensor([concepts.length, ensemble.length, width], ensembles),
  };
}
