import assert from "node:assert/strict";
import {
  brodenImages,
  type Factors,
  imageNetImages,
  noFactors,
  renderImage,
  scenes,
  shapes,
} from "../../lib/world/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { smallWorld } from "./_world_files.ts";

const random = createRandom("world render test");
const area = (mask: Uint8Array) => mask.reduce((sum, cover) => sum + cover / 255, 0);

Deno.test("renderImage() covers the area of the object that its pose says", () => {
  for (let i = 0; i < 10; i++) {
    const ball: Factors = { ...noFactors, view: "object", object: "ball" };
    const { object, pose } = renderImage(ball, { random: random.split(i), size: 64 });
    // A disc of 0.85 radii; half the frame is 32 pixels.
    const exact = Math.PI * (0.85 * pose.radius * 32) ** 2;
    assert.ok(Math.abs(area(object) / exact - 1) < 0.01, `${area(object)} against ${exact}`);
  }
});

Deno.test("renderImage() keeps every object wholly within the frame", () => {
  for (const object of shapes) {
    for (let i = 0; i < 5; i++) {
      const factors: Factors = { ...noFactors, view: "object", object };
      const rendered = renderImage(factors, { random: random.split(object).split(i), size: 64 });
      const { x, y, radius } = rendered.pose;
      assert.ok(Math.abs(x) + radius <= 1 && Math.abs(y) + radius <= 1);
      assert.ok(radius >= 0.35 && radius <= 0.75, `${radius}`);
    }
  }
});

Deno.test("renderImage() hides what lies behind the object", () => {
  const factors: Factors = { ...noFactors, view: "object", object: "box", parts: ["wing", "eye"] };
  for (let i = 0; i < 5; i++) {
    const { object, parts } = renderImage(factors, { random: random.split(i), size: 64 });
    const [wing, eye] = parts as [Uint8Array, Uint8Array];
    for (let pixel = 0; pixel < object.length; pixel++) {
      if (object[pixel] === 255) assert.equal(wing[pixel], 0);
    }
    assert.ok(eye.some((cover, pixel) => cover === 255 && object[pixel] === 255));
  }
});

Deno.test("renderImage() shows colours by their hue", () => {
  // The channel order of each colour, brightest first; yellow has red and green alike.
  const channels = {
    red: [0, 1, 2],
    orange: [0, 1, 2],
    green: [1, 0, 2],
    blue: [2, 1, 0],
    purple: [2, 0, 1],
    pink: [0, 2, 1],
    brown: [0, 1, 2],
  } as const;
  for (const [color, [most, middle, least]] of Object.entries(channels)) {
    const factors = { ...noFactors, color: color as keyof typeof channels };
    const { data } = renderImage(factors, { random: random.split(color), size: 32 });
    const sums = [0, 0, 0];
    for (const [i, value] of data.entries()) sums[i % 3]! += value;
    assert.ok(sums[most]! > sums[least]!, `${color}: ${sums}`);
    if (!["red", "green", "blue"].includes(color)) {
      assert.ok(sums[most]! >= sums[middle]! && sums[middle]! > sums[least]!, `${color}: ${sums}`);
    }
  }
});

Deno.test("renderImage() leaves the pose as it is when a factor changes", () => {
  const factors: Factors = { ...noFactors, view: "object", object: "star", color: "red" };
  const options = { random: random.split("same"), size: 32 };
  const before = renderImage(factors, options);
  const after = renderImage({ ...factors, scene: "street", texture: "grid" }, options);
  assert.deepEqual(after.pose, before.pose);
  assert.deepEqual(after.object, before.object);
  assert.notDeepEqual(after.data, before.data);
});

Deno.test("imageNetImages() prefer a scene in train as often as configured, in val never", () => {
  const config = {
    ...smallWorld,
    imagenet: { trainPerClass: 100, valPerClass: 100, sceneCorrelation: 0.5 },
  };
  const share = (split: "train" | "val") => {
    const images = imageNetImages(config, split);
    const preferred = images.filter((image) => image.factors.scene === image.class.preferredScene);
    return preferred.length / images.length;
  };
  // 0.5 + 0.5 / 8 and 1 / 8; the standard error of 4000 draws is below 0.008.
  assert.ok(Math.abs(share("train") - 0.5625) < 0.03, `${share("train")}`);
  assert.ok(Math.abs(share("val") - 1 / scenes.length) < 0.03, `${share("val")}`);
});

Deno.test("imageNetImages() change only backgrounds when the correlation changes", () => {
  const uncorrelated = { ...smallWorld.imagenet, sceneCorrelation: 0 };
  const images = imageNetImages(smallWorld, "train");
  const others = imageNetImages({ ...smallWorld, imagenet: uncorrelated }, "train");
  for (const [i, { factors, random }] of images.slice(0, 6).entries()) {
    const other = others[i]!;
    assert.deepEqual({ ...other.factors, scene: null }, { ...factors, scene: null });
    const a = renderImage(factors, { random, size: 32 });
    const b = renderImage(other.factors, { random: other.random, size: 32 });
    assert.deepEqual([b.pose, b.object, b.light], [a.pose, a.object, a.light]);
  }
});

Deno.test("brodenImages() label one concept each but for the mixed ones", () => {
  const images = brodenImages(smallWorld);
  const single = images.filter(({ labelled }) => labelled.length === 1);
  assert.equal(single.length, 98);
  assert.equal(images.length - single.length, 6);
  for (const { labelled, factors } of single) {
    const value = labelled[0] === "part" ? factors.parts : factors[labelled[0]!];
    assert.ok(value !== null && (labelled[0] !== "part" || value.length === 1));
  }
});
