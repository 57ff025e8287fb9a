import type { Device } from "../onnx/mod.ts";
import type { CavEngine } from "./engine.ts";
import { openOrtEngine } from "./_ort_engine.ts";
import { openTfjsEngine } from "./_tfjs_engine.ts";

/** Opens the engine of that name: closed-form gradients on onnxruntime, or autodiff on tfjs. */
export function openEngine(
  name: CavEngine["name"],
  { device }: { readonly device: Device },
): Promise<CavEngine> {
  return name === "ort" ? Promise.resolve(openOrtEngine({ device })) : openTfjsEngine({ device });
}
