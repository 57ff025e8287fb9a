import assert from "node:assert/strict";
import { join } from "node:path";
import {
  builtBackboneSchema,
  hubModelSchema,
  loadConfig,
  withSizes,
} from "../../lib/config/mod.ts";
import { featureCost, vlFeatureCost } from "../../lib/models/mod.ts";

/** Billions of multiply-adds from torchvision's table of weights, and feature_dim of the paper's sources. */
const published: Readonly<Record<string, readonly [number, number]>> = {
  resnet18: [1.814, 512],
  resnet34: [3.664, 512],
  resnet50: [4.089, 2048],
  densenet121: [2.834, 1024],
  densenet169: [3.36, 1664],
  vgg13: [11.308, 4096],
  vgg19: [19.632, 4096],
  // All blocks but the last, which is computed for the class token only.
  vit_b_16: [17.564 * 11 / 12, 768],
  vit_l_16: [61.555 * 23 / 24, 1024],
};

for (const [name, [billions, width]] of Object.entries(published)) {
  Deno.test(`featureCost() of ${name} agrees with torchvision's table`, async () => {
    const path = join(import.meta.dirname!, "..", "..", "configs", "backbones", `${name}.json`);
    const cost = featureCost(withSizes(await loadConfig(path, builtBackboneSchema), "released"));
    assert.equal(cost.width, width);
    assert.ok(
      Math.abs(cost.multiplyAdds / 1e9 - billions) < 0.002 * billions,
      `${cost.multiplyAdds / 1e9} against ${billions}`,
    );
  });
}

Deno.test("featureCost() counts what layers hold at once, and what lies behind an output, by hand", async () => {
  const costOf = async (name: string, output?: string) => {
    const path = join(import.meta.dirname!, "..", "..", "configs", "backbones", `${name}.json`);
    return featureCost(withSizes(await loadConfig(path, builtBackboneSchema), "released"), output);
  };
  // A convolution of 64 channels and its ReLU.
  assert.equal((await costOf("vgg13")).activations, 2 * 64 * 224 ** 2);
  // Two summands of 256 channels and their sum.
  assert.equal((await costOf("resnet50")).activations, 3 * 256 * 56 ** 2);
  // Behind the last block: means, flattened, and logits.
  const { laterActivations } = await costOf("resnet18", "layer4");
  assert.equal(laterActivations, 512 + 512 + 1000);
  assert.equal((await costOf("resnet18", "logits")).laterActivations, 0);
});

Deno.test("vlFeatureCost() counts CLIP's image towers as open_clip's table of models", async () => {
  const hubFolder = await Deno.makeTempDir();
  const costOf = async (document: unknown) => {
    await Deno.mkdir(join(hubFolder, "org", "clip"), { recursive: true });
    await Deno.writeTextFile(
      join(hubFolder, "org", "clip", "config.json"),
      JSON.stringify(document),
    );
    return await vlFeatureCost({ name: "clip", hub: "org/clip" }, { hubFolder });
  };
  try {
    // Half of its GFLOP; what the hub's file of ViT-B/32 leaves out are the defaults.
    const small = await costOf({ vision_config: { model_type: "clip_vision_model" } });
    assert.ok(Math.abs(small!.multiplyAdds / 1e9 - 8.82 / 2) < 0.01, `${small!.multiplyAdds}`);
    assert.equal(small!.width, 512);
    const sizes = {
      hidden_size: 1024,
      intermediate_size: 4096,
      num_hidden_layers: 24,
      patch_size: 14,
    };
    const large = await costOf({ projection_dim: 768, vision_config: sizes });
    assert.ok(Math.abs(large!.multiplyAdds / 1e9 - 162.03 / 2) < 0.05, `${large!.multiplyAdds}`);
    assert.equal(large!.width, 768);
    assert.equal(await costOf({ model_type: "clip" }), undefined);
    const other = { name: "clip", hub: "org/clip", layout: "open_clip" } as const;
    assert.equal(await vlFeatureCost(other, { hubFolder }), undefined);
    assert.equal(await vlFeatureCost({ name: "own", folder: "own" }, { hubFolder }), undefined);
    // What is published counts before anything is fetched: open_clip's table again.
    const configs = join(import.meta.dirname!, "..", "..", "configs", "vl");
    for (const [name, gflops] of [["clip_vit_b_32", 8.82], ["clip_rn50x16", 149.39]] as const) {
      const config = await loadConfig(join(configs, `${name}.json`), hubModelSchema);
      const published = await vlFeatureCost(config, { hubFolder: "/none" });
      assert.ok(Math.abs(2 * published!.multiplyAdds / 1e9 - gflops) < 1e-9, name);
    }
  } finally {
    await Deno.remove(hubFolder, { recursive: true });
  }
});
