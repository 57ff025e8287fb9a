import { runCommandLine } from "./application.ts";
import { UserError } from "../files/mod.ts";
import { type CliContext, openContext } from "./context.ts";

function openContextOrExit(): CliContext {
  try {
    return openContext();
  } catch (error) {
    if (!(error instanceof UserError || error instanceof Deno.errors.NotCapable)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}

if (import.meta.main) {
  Deno.exit(await runCommandLine(Deno.args, openContextOrExit()));
}
