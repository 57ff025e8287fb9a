import { buildRouteMap } from "@stricli/core";
import { cavScoreCommand } from "./cav_score.ts";
import { cavTrainCommand } from "./cav_train.ts";
import type { CliContext } from "./context.ts";

/** `cav`: CAVs of a user's own model and words. */
export const cavRoutes = buildRouteMap<"score" | "train", CliContext>({
  routes: { score: cavScoreCommand, train: cavTrainCommand },
  docs: { brief: "CAVs of your own model and words" },
});
