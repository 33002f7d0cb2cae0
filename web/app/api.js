// Calls to the API with a token, repeated where that is safe: a token that went stale, a service that is away for a moment.

import { ApiError, open, send, Unreachable } from "./http.js";
import { accessToken, distrust } from "./session.js";

const TRIES = 3;
const LONGEST_WAIT_SECONDS = 8;

// A call. What reads, or has a `request_id`, is repeated by itself; anything else is sent once.
export async function call(method, path, { body, signal } = {}) {
  const isRepeatable = method === "GET" || method === "DELETE" || Boolean(body?.request_id) || path.endsWith(":start");
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await signed((token) => send(method, path, { token, body, signal }));
    } catch (error) {
      const seconds = pause(error, attempt);
      if (!isRepeatable || attempt === TRIES || signal?.aborted || seconds === null) throw error;
      await waited(seconds, signal);
    }
  }
}

// Deletes a scan. One that is gone already is as good.
export async function deleteScan(scanId) {
  await call("DELETE", `/v1/scans/${scanId}`).catch((error) => error.status === 404 || Promise.reject(error));
}

// A response to be read as it comes.
export function stream(path, { headers, signal }) {
  return signed((token) => open("GET", path, { token, headers, signal }));
}

async function signed(work) {
  const token = await accessToken();
  try {
    return await work(token);
  } catch (error) {
    if (error.status !== 401) throw error;
    distrust(token);
    return work(await accessToken());
  }
}

// How many seconds to wait before another try; null if none would help.
function pause(error, attempt) {
  if (error instanceof Unreachable) return navigator.onLine ? 2 ** attempt / 2 : null;
  if (!(error instanceof ApiError) || ![429, 503, 504].includes(error.status)) return null;
  const seconds = error.retrySeconds || 2 ** attempt / 2;
  return seconds > LONGEST_WAIT_SECONDS ? null : seconds;
}

export function waited(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
