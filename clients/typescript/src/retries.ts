/** Sends a request until it is answered, as far as it may be sent again. */

import { ApiError, ConnectionError, Eco2Error } from "./errors.js";

export type Send = (request: Request) => Promise<Response>;

/** How stubborn to be. */
export interface RetryOptions {
  /** Tries at most, the first one included. Default: 8. */
  attempts?: number;
  /** Milliseconds: the first pause is at most this long, each next one at most twice as long. Default: 250. */
  firstPause?: number;
  /** Milliseconds: no pause is longer; what a server doesn't want again sooner isn't tried again. Default: 30,000. */
  longestPause?: number;
  /** Waits. Default: a timer. */
  pause?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

export type Retries = Required<RetryOptions>;

export const DEFAULTS: Retries = { attempts: 8, firstPause: 250, longestPause: 30_000, pause };

/** What happens again with each repetition. All else is idempotent, by its nature or by its request_id. */
const ONCE = /\/v1\/(auth\/guest|auth\/[^/]+:(begin|complete)|buildings)$/;
const TRANSIENT = new Set([408, 500, 502, 503, 504]);
const TOO_MANY = 429;
const NOT_FOUND = 404;

/** A timer that an abort ends. */
function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/** A random pause before try number `attempt` + 1, so that clients that were cut off together don't come together. */
export function backoff(attempt: number, retries: Retries): number {
  return Math.random() * Math.min(retries.firstPause * 2 ** (attempt - 1), retries.longestPause);
}

/**
 * The reply to a request, which is made anew for each try. What was lost is sent again, and so is what is refused for now.
 *
 * A DELETE whose reply was lost has happened if the next one finds nothing.
 *
 * @throws ConnectionError - Nothing answers.
 */
export async function persistent(make: () => Request, send: Send, retries: Retries): Promise<Response> {
  let lost = false;
  for (let attempt = 1; ; attempt += 1) {
    const request = make();
    const last = attempt >= retries.attempts;
    let wait: number | undefined;
    try {
      const response = await send(request);
      if (lost && request.method === "DELETE" && response.status === NOT_FOUND) return new Response("{}");
      wait = last ? undefined : await pauseAfter(response, request, attempt, retries);
      if (wait === undefined) return response;
      lost ||= response.status !== TOO_MANY;
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof Eco2Error) throw error;
      if (last || !repeatable(request)) throw new ConnectionError("Eco² can't be reached", { cause: error });
      wait = backoff(attempt, retries);
      lost = true;
    }
    await retries.pause(wait, request.signal);
  }
}

/** A reply once all of it is there: one that is cut in the middle is lost as well. Streams are left as they are. */
export async function whole(response: Response): Promise<Response> {
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) return response;
  const { status, statusText, headers } = response;
  return new Response(await response.arrayBuffer(), { status, statusText, headers });
}

function repeatable(request: Request): boolean {
  return request.method !== "POST" || !ONCE.test(new URL(request.url).pathname);
}

/** Milliseconds until the next try; undefined for what isn't to be tried again. */
async function pauseAfter(
  response: Response,
  request: Request,
  attempt: number,
  retries: Retries,
): Promise<number | undefined> {
  if (response.ok || !(response.status === TOO_MANY || repeatable(request))) return undefined;
  const asked = (await ApiError.of(response.clone())).retryAfter;
  if (asked === undefined) return TRANSIENT.has(response.status) ? backoff(attempt, retries) : undefined;
  return asked > retries.longestPause ? undefined : asked + backoff(1, retries);
}
