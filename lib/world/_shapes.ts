import type { Shape } from "./factors.ts";
import { length } from "./_noise.ts";

/**
 * The signed distance of a point to an outline, negative inside, in the object's own frame: the
 * object lies in the unit circle, y points down.
 */
export type Distance = (x: number, y: number) => number;

/** The silhouettes of the world's objects. */
export const shapeDistance: Readonly<Record<Shape, Distance>> = {
  ball: (x, y) => length(x, y) - 0.85,
  box: (x, y) => boxDistance(x, y, [0.72, 0.72]) - 0.04,
  cone: polygon([[0, -0.95], [0.78, 0.72], [-0.78, 0.72]]),
  star: polygon(starPoints({ points: 5, outer: 1, inner: 0.42 })),
  cross: (x, y) => Math.min(boxDistance(x, y, [0.92, 0.3]), boxDistance(x, y, [0.3, 0.92])),
  ring: (x, y) => Math.abs(length(x, y) - 0.68) - 0.25,
  heart: polygon(heartPoints(28)),
  crescent: (x, y) => Math.max(length(x, y) - 0.92, 0.74 - length(x - 0.46, y + 0.1)),
  arrow: polygon([
    [1, 0],
    [0.2, -0.8],
    [0.2, -0.32],
    [-0.92, -0.32],
    [-0.92, 0.32],
    [0.2, 0.32],
    [0.2, 0.8],
  ]),
  bolt: polygon([
    [0, -0.98],
    [-0.72, 0.22],
    [-0.18, 0.22],
    [-0.42, 0.98],
    [0.72, -0.32],
    [0.18, -0.32],
    [0.52, -0.98],
  ]),
};

/** The signed distance to a box about the origin with the given half sides. */
export function boxDistance(x: number, y: number, half: readonly [number, number]): number {
  const dx = Math.abs(x) - half[0];
  const dy = Math.abs(y) - half[1];
  return length(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0);
}

/** The signed distance to a closed polygon (even-odd rule). */
export function polygon(points: readonly (readonly [number, number])[]): Distance {
  const count = points.length;
  const px = Float64Array.from(points, (point) => point[0]);
  const py = Float64Array.from(points, (point) => point[1]);
  return (x, y) => {
    let square = Infinity;
    let inside = false;
    for (let i = 0, j = count - 1; i < count; j = i++) {
      const ax = px[i]!, ay = py[i]!;
      const ex = px[j]! - ax, ey = py[j]! - ay;
      const wx = x - ax, wy = y - ay;
      let t = (wx * ex + wy * ey) / (ex * ex + ey * ey);
      t = t < 0 ? 0 : t > 1 ? 1 : t;
      const bx = wx - ex * t, by = wy - ey * t;
      const distance = bx * bx + by * by;
      if (distance < square) square = distance;
      if ((ay > y) !== (py[j]! > y) && x < ax + ex * (y - ay) / ey) inside = !inside;
    }
    return inside ? -Math.sqrt(square) : Math.sqrt(square);
  };
}

function starPoints(
  { points, outer, inner }: { points: number; outer: number; inner: number },
): [number, number][] {
  return Array.from({ length: 2 * points }, (_, i) => {
    const angle = Math.PI * (i / points - 0.5);
    const radius = i % 2 === 0 ? outer : inner;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function heartPoints(count: number): [number, number][] {
  return Array.from({ length: count }, (_, i) => {
    const t = 2 * Math.PI * i / count;
    const x = 16 * Math.sin(t) ** 3;
    const y = 13 * Math.cos(t) - 5 * Math.cos(2 * t) - 2 * Math.cos(3 * t) - Math.cos(4 * t);
    return [x / 18, -(y + 2) / 17];
  });
}
