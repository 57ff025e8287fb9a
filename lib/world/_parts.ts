import type { Part } from "./factors.ts";
import { length } from "./_noise.ts";
import { boxDistance, type Distance, polygon } from "./_shapes.ts";

/** A part of an object: where it sits and how it looks, in the object's own frame. */
export interface PartModel {
  readonly distance: Distance;
  /** Whether it lies before the object or is covered by it. */
  readonly front: boolean;
  /** The point that a close-up is centred at. */
  readonly anchor: readonly [number, number];
  /** The tone at a point: 0 the part's own colour, 1 its second colour (hub, pupil). */
  readonly tone: Distance;
}

const plain = () => 0;
const wing = polygon([
  [0.15, 0.1],
  [0.5, -0.5],
  [1.1, -0.85],
  [1.35, -0.55],
  [1.15, -0.4],
  [1.3, -0.15],
  [1.02, -0.08],
  [1.08, 0.2],
  [0.75, 0.18],
  [0.6, 0.38],
]);
const horn = polygon([[0.1, -0.2], [0.62, -0.35], [0.78, -0.8], [0.66, -1.3], [0.5, -0.85]]);

/** The parts that an object of the world may have. Left and right are mirror images. */
export const partModel: Readonly<Record<Part, PartModel>> = {
  handle: {
    distance: (x, y) => Math.max(Math.abs(length(x, (y + 0.72) * 0.9) - 0.48) - 0.11, y + 0.3),
    front: false,
    anchor: [0, -0.95],
    tone: plain,
  },
  horn: { distance: (x, y) => horn(Math.abs(x), y), front: false, anchor: [0, -0.85], tone: plain },
  wheel: {
    distance: (x, y) => length(Math.abs(x) - 0.55, y - 0.8) - 0.33,
    front: true,
    anchor: [0, 0.72],
    tone: (x, y) => (length(Math.abs(x) - 0.55, y - 0.8) < 0.15 ? 1 : 0),
  },
  leg: {
    distance: (x, y) => {
      const side = Math.abs(x);
      return Math.min(
        boxDistance(side - 0.34, y - 0.7, [0.1, 0.58]),
        boxDistance(side - 0.45, y - 1.2, [0.22, 0.1]),
      );
    },
    front: false,
    anchor: [0, 0.85],
    tone: plain,
  },
  wing: {
    distance: (x, y) => wing(Math.abs(x), y),
    front: false,
    anchor: [0.75, -0.2],
    tone: plain,
  },
  eye: {
    distance: (x, y) => length(Math.abs(x) - 0.29, y + 0.15) - 0.23,
    front: true,
    anchor: [0, -0.15],
    tone: (x, y) => (length(Math.abs(x) - 0.25, y + 0.11) < 0.12 ? 1 : 0),
  },
};
