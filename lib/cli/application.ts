import { buildApplication, buildRouteMap, ExitCode, run, text_en } from "@stricli/core";
import { quote, StorageError, UserError } from "../files/mod.ts";
import { cavRoutes } from "./cav.ts";
import { claimsCommand } from "./claims.ts";
import { cleanCommand } from "./clean.ts";
import { type CliContext, Interrupted } from "./context.ts";
import { dataRoutes } from "./data.ts";
import { reproduceCommand } from "./reproduce.ts";
import { listCommand, statusCommand } from "./status.ts";
import { stageCommand } from "./stage.ts";
import { storeRoutes } from "./store.ts";
import { jobsRoutes } from "./submit.ts";
import { verifyCommand } from "./verify.ts";
import { worldRoutes } from "./world.ts";

/** Every command, with the words and exit codes of its errors. */
const application = buildApplication<CliContext>(
  buildRouteMap<string, CliContext>({
    routes: {
      reproduce: reproduceCommand,
      cav: cavRoutes,
      list: listCommand,
      status: statusCommand,
      verify: verifyCommand,
      claims: claimsCommand,
      data: dataRoutes,
      world: worldRoutes,
      stage: stageCommand,
      jobs: jobsRoutes,
      store: storeRoutes,
      clean: cleanCommand,
    },
    docs: { brief: "Language-guided concept activation vectors: the paper's tables, reproduced" },
  }),
  {
    name: "deno task",
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { disableAnsiColor: true },
    determineExitCode: (error) => error instanceof Interrupted ? 130 : isUserMistake(error) ? 2 : 1,
    localization: {
      text: {
        ...text_en,
        exceptionWhileRunningCommand: (error) => describe(error),
        commandErrorResult: (error) => describe(error),
      },
    },
  },
);

/** More than any name or path takes. */
const maxCharacters = 1000;

/** Runs a command line to its end and returns the exit code. */
export async function runCommandLine(
  args: readonly string[],
  context: CliContext,
): Promise<number> {
  const wrong = args.find((argument) =>
    // deno-lint-ignore no-control-regex -- what a terminal would obey, and no name has
    argument.length > maxCharacters || /[\x00-\x1f\x7f-\x9f]/.test(argument)
  );
  if (wrong !== undefined) {
    context.process.stderr.write(
      `The argument ${quote(wrong)} has control characters or more than ${maxCharacters} ` +
        `characters. Correct it.\n`,
    );
    return 2;
  }
  await run(application, args, context);
  return exitCodeOf(context.process.exitCode);
}

/** Maps the parser's own exit codes to 2, a mistake on the command line, or 1, a fault. */
function exitCodeOf(code: number | string | null | undefined): number {
  if (code === ExitCode.InvalidArgument || code === ExitCode.UnknownCommand) return 2;
  if (code === undefined || code === null) return 0;
  const number = Number(code);
  return number < 0 ? 1 : number;
}

function isUserMistake(error: unknown): boolean {
  return error instanceof UserError || error instanceof StorageError ||
    error instanceof Deno.errors.NotCapable ||
    (error instanceof Error && "code" in error && error.code === "ENAMETOOLONG");
}

/** One sentence for a mistake; the stack too for a fault. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isUserMistake(error) || error instanceof Interrupted
    ? error.message
    : error.stack ?? error.message;
}
