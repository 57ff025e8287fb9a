import { buildRouteMap } from "@stricli/core";
import { cavTrainCommand } from "./cav_train.ts";
import type { CliContext } from "./context.ts";

/** `cav`: CAVs of a user's own model and words. */
export const cavRoutes = buildRouteMap<"train", CliContext>({
  routes: { train: cavTrainCommand },
  docs: { brief: "CAVs of your own model and words" },
});
