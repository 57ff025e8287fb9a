import { ok } from "node:assert/strict";
import { gradientParity, parity } from "../models/_parity.ts";

const backbones = [...Deno.readDirSync("configs/backbones")]
  .map(({ name }) => name.replace(/\.json$/, "")).toSorted();

for (const name of backbones) {
  Deno.test(`networkOf() computes what the original library's ${name} does, at full size`, async () => {
    for (const [output, difference] of await parity(name, "released")) {
      ok(difference < 1e-4, `${output} differs by ${difference}`);
    }
  });

  Deno.test(`differentiate() agrees with autograd on ${name}, at full size`, async () => {
    for (const [value, difference] of await gradientParity(name, "released")) {
      ok(difference < 1e-5, `the gradient at ${value} differs by ${difference}`);
    }
  });
}
