import { UserError } from "../files/mod.ts";

/**
 * What an experiment asks for and a profile does not have: the experiment is right, and another
 * profile can make it.
 */
export class UnavailableError extends UserError {}
