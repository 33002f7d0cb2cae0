// Files on their way to their jobs. They go on while other views are shown, as long as the page is open.

import { call } from "./api.js";
import { language } from "./language.js";
import { uuid } from "./storage.js";
import { digest, put } from "./upload.js";

const outgoing = new Map();

// The upload of a job on this page, as {share, error, again, stop, onchange}; undefined if there is none.
export function outgoingOf(jobId) {
  return outgoing.get(jobId);
}

// A new job with its file on the way. `spec` is the request's field of its kind.
export async function begun(spec, file, type) {
  const upload = { content_type: type, size_bytes: file.size, ...(await digest(file)) };
  const request = { ...spec, upload, locale: language(), request_id: uuid() };
  const first = await call("POST", "/v1/jobs", { body: request });
  const id = first.job.job_id;
  const stopped = new AbortController();
  const one = { share: 0, error: null, onchange() {} };
  const progress = (share) => ((one.share = share), one.onchange());
  const send = async (reply) => {
    one.error = null;
    progress(0);
    try {
      await started(reply, request, file, progress, stopped.signal);
      outgoing.delete(id);
    } catch (error) {
      one.error = error;
    }
    if (!stopped.signal.aborted) one.onchange();
  };
  one.again = () => send(null);
  one.stop = () => (outgoing.delete(id), stopped.abort());
  outgoing.set(id, one);
  send(first);
  return first.job;
}

// The same request answers the same job, with another address to upload to.
async function started(reply, request, file, onProgress, signal) {
  for (let again = false; ; again = true) {
    const { job, upload } = reply ?? (await call("POST", "/v1/jobs", { body: request, signal }));
    if (upload) await put(upload, file, onProgress, signal);
    try {
      return await call("POST", `/v1/jobs/${job.job_id}:start`, { body: {}, signal });
    } catch (error) {
      if (again || error.reason !== "UPLOAD_MISSING") throw error;
      reply = null;
    }
  }
}
