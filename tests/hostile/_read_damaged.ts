/**
 * Reads bombs and damaged files, in a process of its own so that a crash, a native message or the
 * memory taken can be seen from outside:
 *
 *     deno run -A tests/hostile/_read_damaged.ts SEED COUNT [SUBJECT [NUMBER]]
 *
 * Prints a line of JSON for every file that ends otherwise than in success or one sentence; last, what
 * was done. COUNT files are damaged for every subject, or for one, or one of these files alone.
 */
import { UserError } from "../../lib/files/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { bombs } from "./_bombs.ts";
import { type Subject, subjects } from "./_subjects.ts";

const [seed = "", count = "100", wanted, one] = Deno.args;
/** A file takes milliseconds, a bomb up to a second; more is a hang, however busy the machine. */
const MAX_SECONDS = 60;
const outcomes: Record<string, { read: number; refused: number }> = {};
let memory = 0;

if (wanted === undefined) {
  for (const { name, read } of bombs) await attempt("bombs", { of: name, read });
}
for (const subject of await subjects()) {
  if (wanted !== undefined && subject.name !== wanted) continue;
  const [first, end] = one === undefined ? [0, Number(count)] : [Number(one), Number(one) + 1];
  for (let i = first; i < end; i++) {
    await attempt(subject.name, { of: String(i), read: () => readDamaged(subject, i) });
  }
}
console.log(JSON.stringify({ outcomes, memory }));

async function attempt(
  subject: string,
  { of, read }: { readonly of: string; readonly read: () => unknown },
): Promise<void> {
  const outcome = outcomes[subject] ??= { read: 0, refused: 0 };
  const started = performance.now();
  let fault: string | undefined;
  try {
    await read();
    outcome.read++;
  } catch (error) {
    outcome.refused++;
    fault = faultOf(error);
    if (one !== undefined) console.log(String(error));
  }
  memory = Math.max(memory, Deno.memoryUsage().rss);
  const seconds = (performance.now() - started) / 1000;
  if (seconds > MAX_SECONDS) fault ??= `it took ${seconds} seconds`;
  if (fault !== undefined) console.log(JSON.stringify({ subject, of, fault }));
}

async function readDamaged(subject: Subject, i: number): Promise<void> {
  const random = createRandom(seed).split(subject.name).split(i);
  const [sample, donor] = [random.pick(subject.samples), random.pick(subject.samples)];
  await subject.read(await subject.mutate(sample, random, donor));
}

/** What is wrong with an error: it is none of ours, or no single short sentence. */
function faultOf(error: unknown): string | undefined {
  const isOurs = error instanceof UserError ||
    error instanceof Error && (error.name === "Error" || error.name === "RangeError");
  if (!isOurs) return `no sentence: ${error instanceof Error ? error.stack : error}`;
  const { message } = error;
  if (/call stack|Invalid (typed )?array|allocation|not iterable/.test(message)) {
    return `${error.stack}`;
  }
  if (!message.endsWith(".") && error instanceof UserError) return `no whole sentence: ${message}`;
  // deno-lint-ignore no-control-regex -- what a terminal would obey
  if (/[\x00-\x1f\x7f-\x9f]/.test(message)) return `control characters: ${JSON.stringify(message)}`;
  return message.length > 600 ? `too long: ${message}` : undefined;
}
