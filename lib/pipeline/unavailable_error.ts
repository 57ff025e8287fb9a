import { UserError } from "../files/mod.ts";

/**
 * What an experiment asks for and a profile, or the seeds chosen on the command line, do not have: the
 * experiment is right, and another profile or more seeds can make it.
 */
export class UnavailableError extends UserError {}
