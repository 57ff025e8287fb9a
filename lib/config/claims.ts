import { z } from "zod";

const level = z.union([z.string().min(1), z.number()]);

/** One contrast that a claim predicts: which one, of which result, and what it should say. */
const test = z.strictObject({
  experiment: z.string().regex(/^[a-z][a-z0-9_]*$/),
  measure: z.string().min(1),
  factor: z.string().min(1),
  level,
  against: level,
  /** Levels of other factors, where the result has several. */
  where: z.record(z.string(), level).default({}),
  /** What the paper says of the first level against the second. */
  expected: z.enum(["above", "below", "equivalent"]),
});

/** The paper's claims as data: configs/claims.json. */
export const claimsSchema = z.strictObject({
  /** Experiments over whose levels a claim is looked at too: names, or beginnings with a `*`. */
  sweeps: z.array(z.string().regex(/^[a-z][a-z0-9_]*\*?$/)).readonly(),
  claims: z.array(z.strictObject({
    id: z.string().regex(/^[a-z][a-z0-9_]*$/),
    /** What is claimed, in a sentence. */
    text: z.string().min(1),
    /** Where the paper says so. */
    paper: z.string().min(1),
    tests: z.array(test).min(1).readonly(),
  })).min(1).readonly()
    .refine((claims) => new Set(claims.map(({ id }) => id)).size === claims.length, {
      message: "has two claims of one id",
    }),
}).readonly();

/** See {@linkcode claimsSchema}. */
export type Claims = z.output<typeof claimsSchema>;
/** A claim of the paper. */
export type Claim = Claims["claims"][number];
/** A contrast that a claim predicts. */
export type ClaimTest = Claim["tests"][number];
