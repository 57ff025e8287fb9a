import { Buffer } from "node:buffer";
import type { Attention } from "../../experiment/mod.ts";
import { encodePng } from "../../images/mod.ts";

type Map2d = readonly (readonly number[])[];

/** How a map is laid over its picture. */
export interface HeatOptions {
  /** Of the picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The value that is drawn in full; maps that are compared share it. */
  readonly greatest: number;
}

/**
 * A Grad-CAM map as a transparent PNG in base64, to be laid over its picture: enlarged with linear
 * interpolation between the middles of its cells, stronger and lighter where it is greater, nothing
 * where it is 0.
 */
export function heatPng(map: Map2d, { width, height, greatest }: HeatOptions): string {
  const data = new Uint8Array(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = valueAt(map, (x + 0.5) / width, (y + 0.5) / height);
      const share = greatest > 0 ? Math.min(1, value / greatest) : 0;
      data.set(colourOf(share), 4 * (y * width + x));
    }
  }
  return Buffer.from(encodePng({ width, height, data })).toString("base64");
}

/** The greatest value of the maps of an image. */
export function greatestOf(attention: readonly Attention[]): number {
  const values = attention.flatMap(({ before, after }) => [...before, ...after]).flat();
  return Math.max(0, ...values);
}

/** The map at a place of its picture, both from 0 to 1. */
function valueAt(map: Map2d, right: number, down: number): number {
  const [top, bottom, y] = between(down, map.length);
  const [left, end, x] = between(right, map[0]!.length);
  const along = (row: readonly number[]) => row[left]! * (1 - x) + row[end]! * x;
  return along(map[top]!) * (1 - y) + along(map[bottom]!) * y;
}

/** The two cells whose middles a place lies between, and how far it is from the first. */
function between(place: number, cells: number): [number, number, number] {
  const at = Math.min(Math.max(place * cells - 0.5, 0), cells - 1);
  const first = Math.floor(at);
  return [first, Math.min(first + 1, cells - 1), at - first];
}

/** From dark red over orange to light yellow: its lightness rises, whatever one's colour vision. */
const stops = [[110, 0, 30], [214, 40, 30], [253, 141, 40], [255, 237, 130]] as const;

function colourOf(share: number): [number, number, number, number] {
  const at = share * (stops.length - 1);
  const first = Math.min(Math.floor(at), stops.length - 2);
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(
      stops[first]![channel] + (at - first) * (stops[first + 1]![channel] - stops[first]![channel]),
    );
  return [mix(0), mix(1), mix(2), Math.round(215 * Math.sqrt(share))];
}
