import type { Random } from "../tensor/mod.ts";
import { type Factors, type Scene, scenes } from "./factors.ts";

/** A class of images that show one kind of object before any scene. */
export interface ObjectClass {
  readonly id: string;
  readonly name: string;
  /** The defining factors; the scene is null, as no scene defines a class. */
  readonly factors: Factors;
  /** The scene that its training images prefer, a spurious correlation. */
  readonly preferredScene: Scene;
}

/** One image of a class. */
export interface ObjectImage<C extends ObjectClass> {
  readonly class: C;
  /** The image's number within its class and split, from 0. */
  readonly index: number;
  readonly factors: Factors;
  readonly random: Random;
}

/**
 * `count` images of each class, class by class. With the probability `correlation` an image has its
 * class's preferred scene, else any scene with equal probability. Image i of a class depends on the
 * stream, the class and i alone.
 */
export function objectImages<C extends ObjectClass>(
  classes: readonly C[],
  { stream, count, correlation }: { stream: Random; count: number; correlation: number },
): readonly ObjectImage<C>[] {
  return classes.flatMap((of) =>
    Array.from({ length: count }, (_, index) => {
      const random = stream.split(of.id).split(index);
      const scene = sceneOf(of, { random: random.split("scene"), correlation });
      return { class: of, index, factors: { ...of.factors, scene }, random };
    })
  );
}

function sceneOf(
  of: ObjectClass,
  { random, correlation }: { random: Random; correlation: number },
): Scene {
  const preferred = random.uniform() < correlation;
  const any = random.pick(scenes);
  return preferred ? of.preferredScene : any;
}
