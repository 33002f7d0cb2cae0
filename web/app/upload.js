// From a photo to a scan under way: create, upload straight to object storage, start.
//
// The same request_id makes the same scan, however often the way is begun again.

import { call } from "./api.js";
import { ApiError, Unreachable } from "./http.js";
import { forget, keep } from "./pending.js";

const MOST_DIGESTED = 128 << 20; // bytes

// The id of the scan. `onProgress` is told the share uploaded, 0 to 1.
export async function started(upload, { onProgress = () => {}, signal } = {}) {
  await keep(upload);
  for (let again = false; ; again = true) {
    const { scan, upload: ticket } = await created(upload, signal);
    if (ticket) await put(ticket, upload.blob, onProgress, signal);
    try {
      await call("POST", `/v1/scans/${scan.scan_id}:start`, { body: {}, signal });
    } catch (error) {
      if (again || error.reason !== "PHOTO_NOT_UPLOADED") throw error;
      continue;
    }
    await forget();
    return scan.scan_id;
  }
}

async function created({ requestId, blob, type, fields }, signal) {
  const upload = { content_type: type, size_bytes: blob.size, ...(await digest(blob)) };
  return call("POST", "/v1/scans", { body: { ...fields, upload, request_id: requestId }, signal });
}

// Lets storage refuse what was damaged on the way; only a secure page has it, and a large zip isn't held in memory for it.
export async function digest(blob) {
  if (!crypto.subtle || blob.size > MOST_DIGESTED) return {};
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return { sha256: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}

// By XMLHttpRequest: `fetch` doesn't tell how much of a body has gone. 412 means that the file is there already.
export function put(ticket, blob, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(ticket.method, ticket.url);
    for (const [name, value] of Object.entries(ticket.headers)) {
      if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value); // the browser sets that itself
    }
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    request.onload = () => {
      if (request.status < 300 || request.status === 412) resolve();
      else reject(new ApiError(request.status, null, null));
    };
    request.onerror = request.ontimeout = () => reject(new Unreachable("upload"));
    request.onabort = () => reject(signal.reason);
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(blob);
  });
}
