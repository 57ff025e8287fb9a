import { SingleBar } from "cli-progress";
import type { RunEvents, StageNode } from "../pipeline/mod.ts";
import type { StageRecord } from "../store/mod.ts";
import type { Output } from "./context.ts";

/** Shows a run of a plan on `output` until `stop`. */
export interface Progress extends RunEvents {
  readonly stop: () => void;
}

/**
 * A bar with rate and time left on a terminal, else one line per finished stage. Progress is counted
 * in stages; the unit within the running stage is shown beside it.
 */
export function showProgress(
  output: Output,
  { stages, now }: { readonly stages: number; readonly now: () => number },
): Progress {
  return output.isTerminal
    ? barProgress(output, { stages, now })
    : lineProgress(output, { stages, now });
}

/** Milliseconds after which a comparison of checksums is worth a line. */
const patience = 2000;

function lineProgress(
  output: Output,
  { stages, now }: { readonly stages: number; readonly now: () => number },
): Progress {
  let done = 0;
  const comparing = new Map<string, number>();
  return {
    onStart: () => {},
    onProgress: () => {},
    onDone: (nodes, seconds) => {
      done += nodes.length;
      output.write(`[${done}/${stages}] ${nameOf(nodes)} (${seconds.toFixed(1)} s)\n`);
    },
    onCorrupt: (path) => output.write(corruptLine(path)),
    onDiffers: (path, there) => output.write(differsLine(path, there)),
    onCompared: (path, done, total) => {
      const started = comparing.get(path) ?? now();
      comparing.set(path, done < total ? started : Infinity);
      if (now() - started < patience) return;
      comparing.set(path, Infinity);
      output.write(`Comparing ${total} files of ${path} with their checksums\n`);
    },
    stop: () => {},
  };
}

function barProgress(
  output: Output,
  { stages, now }: { readonly stages: number; readonly now: () => number },
): Progress {
  const started = now();
  const running = new Map<string, number>();
  let done = 0;
  let current = "";
  const bar = new SingleBar({
    format: "{bar} {percentage}% | {stages} stages | {rate} | {left} left | {current}",
    clearOnComplete: true,
    hideCursor: true,
    stopOnComplete: false,
    gracefulExit: false,
  });
  bar.start(1, 0, { stages: `0/${stages}`, rate: "", left: "?", current });
  const show = () => {
    const share = (done + [...running.values()].reduce((sum, part) => sum + part, 0)) / stages;
    const elapsed = (now() - started) / 1000;
    const left = share > 0 ? `${Math.round(elapsed * (1 - share) / share)} s` : "?";
    bar.update(share, { stages: `${done}/${stages}`, rate: rates(), left, current });
  };
  const counts = new Map<string, { done: number; since: number }>();
  const rates = () => {
    const count = counts.get(current);
    const seconds = count ? (now() - count.since) / 1000 : 0;
    return count && seconds > 0 ? `${Math.round(count.done / seconds)}/s` : "";
  };
  return {
    onStart: (nodes) => {
      const id = nameOf(nodes);
      running.set(id, 0);
      counts.set(id, { done: 0, since: now() });
      current = id;
      show();
    },
    onProgress: (nodes, finished, total) => {
      const id = nameOf(nodes);
      running.set(id, nodes.length * finished / total);
      counts.set(id, { done: finished, since: counts.get(id)?.since ?? now() });
      current = id;
      show();
    },
    onDone: (nodes) => {
      running.delete(nameOf(nodes));
      done += nodes.length;
      show();
    },
    onCorrupt: (path) => output.write(`\n${corruptLine(path)}`),
    onDiffers: (path, there) => output.write(`\n${differsLine(path, there)}`),
    onCompared: (_, done, total) => {
      current = `comparing checksums ${done}/${total}`;
      show();
    },
    stop: () => bar.stop(),
  };
}

/** Stages that are computed in one go are named by the first of them. */
function nameOf([first, ...others]: readonly StageNode[]): string {
  return others.length === 0 ? first!.id : `${first!.id} and ${others.length} more`;
}

/** Says that a stored artifact failed its checksum. */
export function corruptLine(path: string): string {
  return `A stored artifact was corrupt and is computed again: ${path}\n`;
}

/** Says that a stage came out otherwise than what is stored, which stays. */
function differsLine(path: string, there: StageRecord | undefined): string {
  const by = there === undefined
    ? ""
    : `, which ${there.host} (${there.cpu}) computed at ${there.started}`;
  return `What was computed differs from what is stored${by}; the stored one stays: ${path}\n`;
}
