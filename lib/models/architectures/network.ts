import { flatten, globalAveragePool, type Layer, linear } from "./_layers.ts";
import { firstToken } from "./_tokens.ts";

export type { Layer } from "./_layers.ts";

/** A classifier: its outputs, from the first depth that has a name to the logits. */
export interface Network {
  /**
   * Outputs by name: module paths of the original library for depths, then `features`, the input of
   * the last linear layer, [width], and `logits`, [classes].
   */
  readonly outputs: Readonly<Record<string, Layer>>;
  /** Module path of the last linear layer. */
  readonly lastLayer: string;
  /**
   * The last layer that still knows where things are: the last convolutional map, [channels, height,
   * width], or the tokens that the last attention reads, [tokens, width], the class token first.
   */
  readonly map: Layer;
}

/** A network whose last layer follows the features directly. */
export function classifier(
  depths: Readonly<Record<string, Layer>>,
  { map, features = channelMeans(map), lastLayer, classes }: {
    readonly map: Layer;
    /** The means of the map's channels when left out. */
    readonly features?: Layer;
    readonly lastLayer: string;
    readonly classes: number;
  },
): Network {
  const logits = linear(features, { name: lastLayer, width: classes });
  return { lastLayer, map, outputs: { ...depths, features, logits } };
}

/** The mean of each channel: [channels]. */
export function channelMeans(x: Layer): Layer {
  return flatten(globalAveragePool(x));
}

/** The class token: [width]. */
export function classToken(x: Layer): Layer {
  return flatten(firstToken(x));
}
