import type { Random } from "../tensor/mod.ts";
import type { Factors } from "./factors.ts";
import { partModel } from "./_parts.ts";

/** Where and how an object stands in its frame. */
export interface Pose {
  /** The centre: -1 is the left or upper edge of the frame, 1 the right or lower. */
  readonly x: number;
  readonly y: number;
  /** The object's radius, where half the frame is 1. */
  readonly radius: number;
  /** Clockwise, in radians. */
  readonly rotation: number;
  readonly mirrored: boolean;
}

/** Draws a pose: anywhere in the frame, or for a close-up with the first part near its middle. */
export function poseOf(factors: Factors, random: Random): Pose {
  const mirrored = random.uniform() < 0.5;
  const tilt = random.between(-0.6, 0.6);
  const share = random.uniform();
  const right = random.between(-1, 1);
  const down = random.between(-1, 1);
  if (factors.object === null) {
    return { x: 0.6 * right, y: 0.6 * down, radius: 1, rotation: 5 * tilt, mirrored };
  }
  if (factors.view === "part") {
    const radius = 0.9 + 0.4 * share;
    const anchor = partModel[factors.parts[0]!].anchor;
    const ax = (mirrored ? -anchor[0] : anchor[0]) * radius, ay = anchor[1] * radius;
    const cos = Math.cos(tilt), sin = Math.sin(tilt);
    return {
      x: 0.2 * right - (ax * cos - ay * sin),
      y: 0.2 * down - (ax * sin + ay * cos),
      radius,
      rotation: tilt,
      mirrored,
    };
  }
  const whole = factors.parts.length === 0;
  const radius = (0.48 + 0.27 * share) * (whole ? 1 : 0.88);
  const room = 1 - radius * (whole ? 1 : 1.15);
  return { x: room * right, y: room * down, radius, rotation: tilt, mirrored };
}
