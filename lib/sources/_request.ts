import { UserError } from "../files/mod.ts";

/** A failure that another attempt may mend. */
export class TransientError extends Error {
  override readonly name = "TransientError";
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly retryAfter?: number } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}

const MAX_REDIRECTS = 8;
const REDIRECTS = [301, 302, 303, 307, 308];
/** Timeout, too many requests and every failure of the server are worth another attempt. */
const TRANSIENT = [408, 425, 429];
/** Longer than this is not waited for, whatever the server asks. */
const MAX_RETRY_AFTER = 120_000;

/**
 * One GET. Redirects are followed here, so that a loop and a step from https to http are errors.
 * Answers 200, 206 and 416 are returned; the caller reads or cancels their body.
 *
 * @throws {TransientError} when another attempt may succeed.
 * @throws {UserError} when it may not: the address is wrong or access to it is not allowed.
 */
export async function request(
  url: string,
  { fetch, headers, signal }: {
    readonly fetch: typeof globalThis.fetch;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<Response> {
  let address = new URL(url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await send(address, () =>
      fetch(address, {
        // Compression in transit would make lengths and ranges mean something else.
        headers: { ...headers, "accept-encoding": "identity" },
        redirect: "manual",
        signal,
      }));
    if ([200, 206, 416].includes(response.status)) return response;
    await response.body?.cancel();
    if (REDIRECTS.includes(response.status)) address = target(address, response);
    else throw refusal(address, response);
  }
  throw new UserError(
    `Downloading ${url}: it redirects more than ${MAX_REDIRECTS} times, the last time to ` +
      `${address}; the address is no longer right, correct it in the config.`,
  );
}

async function send(address: URL, attempt: () => Promise<Response>): Promise<Response> {
  try {
    return await attempt();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new UserError(
        `Downloading ${address}: access to ${address.host} is not granted; add it to --allow-net.`,
        { cause },
      );
    }
    if (!(cause instanceof TypeError)) throw cause;
    throw new TransientError(`the connection to ${address.host} failed: ${cause.message}`, {
      cause,
    });
  }
}

function target(from: URL, response: Response): URL {
  const location = response.headers.get("location");
  const to = location === null ? null : URL.parse(location, from);
  const isWeb = to !== null && ["http:", "https:"].includes(to.protocol);
  if (!isWeb || (from.protocol === "https:" && to.protocol === "http:")) {
    throw new UserError(
      `Downloading ${from}: it redirects to ${location ?? "nowhere"}, which is not followed; ` +
        "correct the address in the config.",
    );
  }
  return to;
}

function refusal(address: URL, response: Response): Error {
  const answer = `the server answered ${response.status} ${response.statusText}`.trimEnd();
  if (TRANSIENT.includes(response.status) || response.status >= 500) {
    const seconds = Number(response.headers.get("retry-after") ?? NaN);
    const retryAfter = Math.min(seconds * 1000, MAX_RETRY_AFTER);
    return new TransientError(answer, retryAfter > 0 ? { retryAfter } : {});
  }
  return new UserError(
    `Downloading ${address}: ${answer}; correct the address in the config, or get the file by ` +
      "other means and name its folder with: deno task data:where FOLDER",
  );
}
