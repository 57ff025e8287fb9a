import { buildRouteMap } from "@stricli/core";
import { cavInspectCommand } from "./cav_inspect.ts";
import { cavScoreCommand } from "./cav_score.ts";
import { cavTrainCommand } from "./cav_train.ts";
import type { CliContext } from "./context.ts";

/** `cav`: CAVs of a user's own model and words. */
export const cavRoutes = buildRouteMap<"inspect" | "score" | "train", CliContext>({
  routes: { inspect: cavInspectCommand, score: cavScoreCommand, train: cavTrainCommand },
  docs: { brief: "CAVs of your own model and words" },
});
