/** Which experiments to make, and how: everything that a plan depends on besides files. */
export interface PlanRequest {
  /** The folder of configs/, experiments/ and zoo/. */
  readonly root: string;
  readonly profile: string;
  readonly experiments: readonly string[];
  /** Replace the experiments' own, when given. */
  readonly backbones?: readonly string[] | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly seeds?: readonly number[] | undefined;
  readonly engine: "ort" | "tfjs";
  readonly device: "cpu" | "webgpu" | "cuda";
}

/** What trains the CAVs of a plan. */
export interface PlannedEngine {
  readonly name: PlanRequest["engine"];
  readonly device: PlanRequest["device"];
  /** Runtime, version and backend in words: another one may round differently. */
  readonly description: string;
}
