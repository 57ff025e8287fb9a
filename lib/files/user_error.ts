/**
 * A mistake the user can mend: a wrong name, field, file or folder. The command line prints its
 * message alone and exits with 2; every other error is a fault and exits with 1.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}
