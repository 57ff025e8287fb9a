import type { Factors, Part } from "./factors.ts";

const plurals: Readonly<Record<Part, string>> = {
  handle: "a handle",
  horn: "horns",
  wheel: "wheels",
  leg: "legs",
  wing: "wings",
  eye: "eyes",
};

/** The object of some factors: its colour, surface and shape, then its parts; no scene. */
export function objectInWords(factors: Factors): string {
  const { color, texture, material, object } = factors;
  const surface = material === "wood" ? "wooden" : material ?? texture;
  const words = [color, surface, object].filter((word) => word !== null);
  return `${words.join(" ")}${partsInWords(factors)}`;
}

/** The parts of some factors, with a space before them: " with wings and eyes". */
export function partsInWords({ parts }: Factors): string {
  return parts.length === 0 ? "" : ` with ${parts.map((part) => plurals[part]).join(" and ")}`;
}
