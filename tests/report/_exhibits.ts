import { Buffer } from "node:buffer";
import type {
  ActivationExhibit,
  CorrectionExhibit,
  Picture,
  Run,
} from "../../lib/experiment/mod.ts";
import { encodePng } from "../../lib/images/mod.ts";
import type { CellExhibit } from "../../lib/report/mod.ts";
import { run, specOf } from "./_synthetic.ts";

const assumed = <T>(value: T) => ({ value, source: "assumed", why: "A test." });
const factors = {
  dataset: ["imagenet40"],
  backbone: ["resnet18"],
  layer: ["last"],
  vlModel: ["clip_vit_l_14"],
  method: ["lg_cav+ga"],
  seed: [0],
};
const { levels } = run({ value: 0, levels: { dataset: "imagenet40", method: "lg_cav+ga" } });

/** A picture of one colour; its class's name is one that a page must not take as markup. */
export function picture(image: string, of: string): Picture {
  const shade = (40 * Number(image)) % 256;
  const png = encodePng({ width: 4, height: 4, data: new Uint8Array(48).fill(shade) });
  return {
    image,
    class: of,
    className: `<b onclick="x">${of}</b> & 'co'`,
    width: 4,
    height: 4,
    png: Buffer.from(png).toString("base64"),
  };
}

export const activations = {
  spec: specOf({
    id: "figure5",
    title: "Most <and> least",
    paper: "Figure 5",
    factors,
    measures: ["image_activation"],
    show: { as: "gallery", of: "activations", concepts: assumed(2), images: assumed(2) },
  }),
  // By hand: red activates 3, 1 most and 2, 4 least; dog 4, 3 and 1, 2.
  runs: [["red", [0.5, -0.2, 0.9, 0.1]], ["dog", [0.1, 0.2, 0.3, 0.4]]].flatMap((of) => {
    const [concept, values] = of as [string, number[]];
    return values.map((value, i): Run =>
      run({
        levels,
        concept,
        class: i < 2 ? "n1" : "n2",
        image: `${i + 1}`,
        measure: "image_activation",
        value,
      })
    );
  }),
  exhibit: {
    of: "activations",
    images: 4,
    from: 5,
    concepts: [
      { name: "red", text: "<script>alert(1)</script>", class: "n2" },
      { name: "dog", text: "dog", class: "n1" },
    ],
    pictures: ["1", "2", "3", "4"].map((image, i) => picture(image, i < 2 ? "n1" : "n2")),
  } satisfies ActivationExhibit,
};

const logits = (
  image: string,
  { own, before, after }: {
    readonly own: string;
    readonly before: readonly [number, number];
    readonly after: readonly [number, number];
  },
) =>
  (["logit_before", "logit_after"] as const).flatMap((measure) =>
    [own, own === "n1" ? "n2" : "n1"].map((of, i): Run =>
      run({
        levels: { ...levels, method: "lg_cav_asr" },
        concept: of,
        class: of,
        image,
        measure,
        value: (measure === "logit_before" ? before : after)[i]!,
      })
    )
  );

export const corrections = {
  spec: specOf({
    id: "figure5b",
    title: "Corrected",
    paper: "Figure 5b",
    factors: { ...factors, method: ["lg_cav_asr"] },
    measures: ["logit_before", "logit_after"],
    show: {
      as: "gallery",
      of: "corrections",
      images: assumed(2),
      perClass: assumed(1),
      cells: assumed(4),
    },
  }),
  // Margins: image 7 from -0.5 to 0.25, image 8 from -2 to 1.
  runs: [
    ...logits("7", { own: "n1", before: [1, 1.5], after: [1.5, 1.25] }),
    ...logits("8", { own: "n2", before: [0, 2], after: [3, 2] }),
  ],
  exhibit: {
    of: "corrections",
    images: 50,
    wrongBefore: 9,
    wrongAfter: 8,
    corrected: 3,
    broken: 2,
    classes: [{ id: "n1", name: "<i>one</i>" }, { id: "n2", name: "two" }],
    pictures: [["7", "n1", "n2"], ["8", "n2", "n1"]].map(([image, own, other]) => ({
      ...picture(image!, own!),
      attention: [
        { class: own!, before: [[1, 0], [0, 0]], after: [[0, 0], [0, 2]] },
        { class: other!, before: [[0, 0], [0, 0]], after: [[0, 1], [0, 0]] },
      ],
    })),
  } satisfies CorrectionExhibit,
};

/** The exhibit of the one cell. */
export function hung(
  { exhibit, runs }: { readonly exhibit: CellExhibit["exhibit"]; readonly runs: readonly Run[] },
): CellExhibit[] {
  return [{ levels: runs[0]!.levels, exhibit }];
}
