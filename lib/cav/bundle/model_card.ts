import type { BundleConfig, BundleMetrics } from "./config.ts";

/** README.md of a bundle: a model card with the metadata that hubs show. */
export function modelCard(
  { config, metrics }: { readonly config: BundleConfig; readonly metrics: BundleMetrics },
): string {
  const { model, vlModel, concepts, methods, seeds, sign } = config;
  const failing = metrics.concepts.filter(({ concerns }) => concerns.length > 0);
  const rows = metrics.concepts.map((
    { concept, method, fit, controlFit, angleBetweenSeeds, concerns },
  ) =>
    `| ${cell(concept)} | ${cell(method)} | ${number(fit, 2)} | ${number(controlFit, 2)} | ${
      number(angleBetweenSeeds, 0)
    } | ${concerns.length === 0 ? "" : `**${cell(concerns.join(" "))}**`} |`
  );
  const verdict = failing.length === 0
    ? "Every concept passes the checks below."
    : `${failing.length} of ${metrics.concepts.length} rows below are marked: do not rely on them.`;
  return `---
library_name: lg-cav
tags: [concept-activation-vectors, interpretability]
base_model: ${JSON.stringify(model.name)}
---

# Concept activation vectors of ${cell(model.name)}

${concepts.length} concepts, ${
    methods.map(({ title }) => title).join(", ")
  }, ${seeds.length} seeds, at
the value \`${cell(model.layer)}\` (${model.dim} numbers), guided by ${cell(vlModel.name)}.

${sign}

## Use

\`\`\`python
from safetensors.numpy import load_file

cavs = load_file("cavs.safetensors")  # vectors [method, seed, concept, dim]
vector = cavs["vectors"][0, :, 0].mean(0)
\`\`\`

\`\`\`sh
deno task cav score BUNDLE --images FOLDER --out scores
\`\`\`

The vectors belong to one model, one layer and one preprocessing: config.json says which. The
model's SHA-256 is \`${model.sha256}\`.

## Quality

${verdict} Fit is the correlation with the VL model on ${metrics.heldOutImages} images that no vector
was trained on; the control is the same of random vectors; the angle, in degrees, is between seeds.

| concept | method | fit | control | angle | concerns |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

evidence/ shows, of the images that were held out, those that each concept activates most (above)
and least (below).
`;
}

function number(value: number | null, digits: number): string {
  return value === null ? "" : value.toFixed(digits);
}

/** Words of a user within Markdown: nothing of them is markup. */
function cell(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>|#]/g, (character) => `\\${character}`);
}
