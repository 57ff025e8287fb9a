import type { WorldConfig } from "../config/mod.ts";

/** The same world with an image or so of each kind, of those splits that it has: for trying it out. */
export function sampleWorld(world: WorldConfig): WorldConfig {
  const few = <Sizes extends Readonly<Record<string, unknown>>>(sizes: Sizes): Sizes => {
    const names = [
      "imagesPerConcept",
      "mixedImages",
      "trainPerClass",
      "valPerClass",
      "testPerClass",
    ];
    const fewer = names.flatMap((name) =>
      name in sizes ? [[name, Math.min(1, sizes[name] as number)]] : []
    );
    return { ...sizes, ...Object.fromEntries(fewer) };
  };
  return {
    ...world,
    broden: few(world.broden),
    imagenet: few(world.imagenet),
    cub200: few(world.cub200),
    cifar100: few(world.cifar100),
  };
}
