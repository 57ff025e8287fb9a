/** An image that a gallery shows, as the model sees it. */
export interface Picture {
  /** Its number among the images of its dataset, as in the runs. */
  readonly image: string;
  /** The class that it belongs to: its id, and what it is called. */
  readonly class: string;
  readonly className: string;
  readonly width: number;
  readonly height: number;
  /** A PNG file in base64. */
  readonly png: string;
}

/** The most and least activated images of some CAVs; the activations are in the runs. */
export interface ActivationExhibit {
  readonly of: "activations";
  /** The images that were compared. */
  readonly images: number;
  /** How many concepts there are to choose from. */
  readonly from: number;
  /** Those that are shown, in the dataset's order, with their words and their class's id. */
  readonly concepts: readonly {
    readonly name: string;
    readonly text: string;
    readonly class: string;
  }[];
  readonly pictures: readonly Picture[];
}

/** Grad-CAM of one logit by an uncorrected and a corrected last layer, [height][width]. */
export interface Attention {
  /** The id of the logit's class. */
  readonly class: string;
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[];
}

/** Images that a correction turned from wrong to right; the logits are in the runs. */
export interface CorrectionExhibit {
  readonly of: "corrections";
  /** The images that were classified, and how many of them each model got wrong. */
  readonly images: number;
  readonly wrongBefore: number;
  readonly wrongAfter: number;
  /** Wrong before and right after, and right before and wrong after. */
  readonly corrected: number;
  readonly broken: number;
  /** The classes of the pictures and those that they were mistaken for. */
  readonly classes: readonly { readonly id: string; readonly name: string }[];
  readonly pictures: readonly (Picture & {
    /** Of the true class, then of the one that was predicted before. */
    readonly attention: readonly [Attention, Attention];
  })[];
}

/** What a cell shows besides its runs. */
export type Exhibit = ActivationExhibit | CorrectionExhibit;
