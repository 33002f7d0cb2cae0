// Watches a scan to its end by Server-Sent Events, read with `fetch`: EventSource can't send the token.
//
// A stream that ends early, or falls silent, is opened again after the last version seen; nobody notices.

import { call, stream, waited } from "./api.js";
import { ApiError } from "./http.js";

const SILENT_SECONDS = 45; // three heartbeats
const PAUSES = [0.2, 1, 2, 4, 8];

// Each state of the scan as it comes, the last one being terminal. `onBroken` is told after how many failures in a row.
export async function* watch(scanId, { signal, onBroken = () => {} }) {
  let version = 0;
  for (let failures = 0; ; ) {
    try {
      for await (const { event, scan } of events(scanId, version, signal)) {
        failures = 0;
        onBroken(0);
        if (scan) {
          version = scan.version ?? version;
          yield scan;
        }
        if (event === "terminal") return;
      }
    } catch (error) {
      if (signal.aborted || (error instanceof ApiError && error.status < 429)) throw error;
      failures += 1;
      onBroken(failures);
    }
    await Promise.race([waited(PAUSES[Math.min(failures, PAUSES.length - 1)], signal), backOnline(signal)]);
  }
}

async function* events(scanId, version, signal) {
  const silence = new AbortController();
  const stop = () => silence.abort();
  signal.addEventListener("abort", stop, { once: true });
  let timer = setTimeout(stop, SILENT_SECONDS * 1000);
  try {
    const headers = { Accept: "text/event-stream", ...(version ? { "Last-Event-ID": String(version) } : {}) };
    const response = await stream(`/v1/scans/${scanId}:watch`, { headers, signal: silence.signal });
    if (!response.body?.getReader) return yield* polled(scanId, version, signal);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(stop, SILENT_SECONDS * 1000);
      const frames = (text + value).split("\n\n");
      text = frames.pop();
      yield* frames.map(parsed).filter(Boolean);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    silence.abort();
  }
}

// One event; null for a comment.
function parsed(frame) {
  const fields = Object.fromEntries(
    frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  return fields.data ? { event: fields.event, scan: JSON.parse(fields.data).scan } : null;
}

// For a browser that can't read a response as it comes.
async function* polled(scanId, version, signal) {
  for (;;) {
    const scan = await call("GET", `/v1/scans/${scanId}?wait=20s&after_version=${version}`, { signal });
    version = scan.version;
    const isOver = !["STATE_AWAITING_UPLOAD", "STATE_QUEUED", "STATE_RUNNING"].includes(scan.state);
    yield { event: isOver ? "terminal" : "update", scan };
    if (isOver) return;
  }
}

function backOnline(signal) {
  return new Promise((resolve) => addEventListener("online", resolve, { once: true, signal }));
}
