import { z } from "zod";

/** Numbers of which every sensible value is within the bounds. */
export const upTo = (most: number) => z.number().positive().max(most);
export const count = (most: number) => z.int().positive().max(most);
export const atLeastZero = (most: number) => z.number().min(0).max(most);
export const share = atLeastZero(1);
