import { deepEqual, ok, rejects } from "node:assert/strict";
import type { Architecture } from "../../lib/config/mod.ts";
import {
  type Backbone,
  backboneParameters,
  openBackbone,
  openGradCam,
} from "../../lib/models/mod.ts";
import { row, takeRows, type Tensor, zeros } from "../../lib/tensor/mod.ts";
import { formulaParameter, formulaPixels, formulaWeights } from "./_formula.ts";
import { sizedBackbone } from "./_parity.ts";

/** What tools/fixtures/grad_cam.py writes. */
interface Reference {
  readonly architecture: Architecture;
  readonly classes: readonly number[];
  readonly maps: readonly {
    readonly cells: number;
    /** [classes, images, height, width] */
    readonly shape: readonly [number, number, number, number];
    readonly original: readonly number[];
    readonly corrected: readonly number[];
  }[];
}

const references: Readonly<Record<string, Reference>> = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/models/grad_cam.json", import.meta.url)),
);

async function opened(name: string, cells = 1) {
  const { architecture } = references[name]!;
  const config = { ...await sizedBackbone(name, "world"), architecture };
  const weights = formulaWeights(backboneParameters(config));
  return { config, weights, gradCam: await openGradCam(config, { weights, cells }) };
}

async function lastLayerWeight({ config, weights }: Awaited<ReturnType<typeof opened>>) {
  const backbone: Backbone = await openBackbone(config, { weights, outputs: ["features"] });
  await backbone.close();
  return backbone.lastLayer.weight;
}

const cases = Object.entries(references).flatMap(([name, { classes, maps }]) =>
  maps.map((map) => ({ name, classes, ...map }))
);
for (const { name, classes, cells, shape, original, corrected } of cases) {
  const [, images, height, width] = shape;

  Deno.test(`GradCam.mapsOf() of ${cells} cells or more agrees with PyTorch's autograd on ${name}`, async () => {
    const model = await opened(name, cells);
    const { imageSize, mapsOf, close } = model.gradCam;
    const pixels = formulaPixels(images * 3 * imageSize ** 2);
    const own = await lastLayerWeight(model);
    const other = formulaParameter("corrected.weight", own.shape);
    const differenceOf = async (weight: Tensor, expected: readonly number[]) => {
      const scale = Math.max(...expected);
      ok(scale > 0);
      let greatest = 0;
      for (const [i, k] of classes.entries()) {
        const maps = await mapsOf(pixels, takeRows(weight, Array(images).fill(k)));
        deepEqual(maps.shape, [images, height, width]);
        const start = i * maps.data.length;
        maps.data.forEach((value, at) => {
          greatest = Math.max(greatest, Math.abs(value - expected[start + at]!) / scale);
        });
      }
      return greatest;
    };
    const differences = [await differenceOf(own, original), await differenceOf(other, corrected)];
    await close();
    ok(differences.every((difference) => difference < 1e-4), `${differences}`);
  });
}

Deno.test("openGradCam() takes the last map of the cells that are asked for, else of the finest", async () => {
  const sideOf = async (name: string, cells: number) => {
    const { gradCam: { imageSize, mapsOf, close }, ...model } = await opened(name, cells);
    const weight = await lastLayerWeight({ ...model, gradCam: { imageSize, mapsOf, close } });
    const { shape } = await mapsOf(formulaPixels(3 * imageSize ** 2), takeRows(weight, [3]));
    await close();
    return shape[1];
  };
  const sides = async (name: string) =>
    await Promise.all([1, 2, 3, 4, 5, 9, 17, 1000].map((cells) => sideOf(name, cells)));
  // Images of 64 pixels; a stem leaves 16 cells a side, each stage after the first half as many.
  deepEqual(await sides("resnet18"), [2, 2, 4, 4, 8, 16, 16, 16]);
  // The map before the last pooling has 4; the first convolutions leave the image's size.
  deepEqual(await sides("vgg13"), [4, 4, 4, 4, 8, 16, 32, 64]);
  // Tokens are as many wherever they are read.
  deepEqual(await sides("vit_b_16"), Array(8).fill(4));
});

Deno.test("GradCam.mapsOf() gives an image its map whatever other images and classes are beside it", async () => {
  const model = await opened("resnet18");
  const { imageSize, mapsOf, close } = model.gradCam;
  const pixels = formulaPixels(2 * 3 * imageSize ** 2);
  const weight = await lastLayerWeight(model);
  const both = await mapsOf(pixels, takeRows(weight, [3, 20]));
  const second = await mapsOf(pixels.slice(pixels.length / 2), takeRows(weight, [20]));
  await close();
  const scale = Math.max(...row(second, 0));
  second.data.forEach((value, i) =>
    ok(Math.abs(value - both.data[second.data.length + i]!) < 1e-5 * scale)
  );
});

Deno.test("GradCam.mapsOf() of a row of zeros is zero, and of another width is refused", async () => {
  const { gradCam: { imageSize, mapsOf, close } } = await opened("resnet18");
  const pixels = formulaPixels(3 * imageSize ** 2);
  const { data } = await mapsOf(pixels, zeros([1, 128]));
  ok(data.every((value) => value === 0));
  await rejects(mapsOf(pixels, zeros([1, 7])), /features of 128 with rows of 7/);
  await close();
});
