/** Watches a scan to its end, however often the connection is cut. */

import { ConnectionError, Eco2Error, type Scan } from "./errors.js";
import { serverSentEvents } from "./event-stream.js";
import { backoff, type Retries } from "./retries.js";

/** How a scan stands: first as it is, then after each change, and last at its end. */
export interface ScanEvent {
  type: "snapshot" | "update" | "terminal";
  /** Grows with every change; what a later watch goes on from. */
  version: number;
  /** The whole scan as far as it is. One that failed says why in `error`. */
  scan: Scan;
}

/** How to watch. */
export interface WatchOptions {
  /** The last version seen. Default: none. */
  afterVersion?: number;
  signal?: AbortSignal;
}

/** Opens the stream after a version. */
export type Open = (afterVersion: number, signal: AbortSignal) => Promise<Response>;

/** Milliseconds: three heartbeats. A phone isn't told that its connection is gone. */
const SILENCE = 45_000;

/**
 * Every event after a version, each once, until the scan has ended.
 *
 * @throws ApiError - The watch is refused.
 * @throws ConnectionError - The stream was cut again and again, without anything new.
 */
export async function* watched(open: Open, options: WatchOptions, retries: Retries): AsyncGenerator<ScanEvent> {
  const { signal } = options;
  let seen = options.afterVersion ?? 0;
  let cuts = 0;
  let failure: unknown;
  while (cuts < retries.attempts) {
    try {
      for await (const event of stream(open, seen, signal)) {
        if (event.type !== "terminal" && event.version <= seen) continue;
        seen = event.version;
        cuts = 0;
        yield event;
        if (event.type === "terminal") return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Eco2Error) throw error;
      failure = error;
    }
    cuts += 1;
    await retries.pause(backoff(cuts, retries), signal);
  }
  throw new ConnectionError("The watch was cut again and again", { cause: failure });
}

/** The events of one connection. It ends when the server leaves, and fails when the connection does. */
async function* stream(open: Open, after: number, signal: AbortSignal | undefined): AsyncGenerator<ScanEvent> {
  const connection = new AbortController();
  const abort = () => connection.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const response = await open(after, connection.signal);
    if (!response.body) return;
    for await (const { name, data } of serverSentEvents(chunks(response.body, connection))) {
      if (name !== "snapshot" && name !== "update" && name !== "terminal") continue; // "reconnect", or newer than this
      const { scan = {} } = JSON.parse(data) as { scan?: Scan };
      yield { type: name, version: scan.version ?? 0, scan };
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    connection.abort();
  }
}

/** A body's chunks. Silence ends the connection. Not every browser can iterate over a body. */
async function* chunks(body: ReadableStream<Uint8Array>, connection: AbortController): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  // Not every platform's fetch ends a read that is under way.
  const aborted = new Promise<never>((_, reject) => {
    connection.signal.addEventListener("abort", () => reject(connection.signal.reason), { once: true });
  });
  aborted.catch(() => undefined);
  const next = async () => {
    const timer = setTimeout(() => connection.abort(new Error("The stream fell silent")), SILENCE);
    try {
      return await Promise.race([reader.read(), aborted]);
    } finally {
      clearTimeout(timer);
    }
  };
  try {
    for (let read = await next(); !read.done; read = await next()) yield read.value;
  } finally {
    reader.cancel().catch(() => undefined); // it may be broken already
  }
}
