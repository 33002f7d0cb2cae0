/** Eco²'s client: photos scanned, watched and answered, in browsers and in Node. */

export { Eco2Client } from "./client.js";
export type { AnswerOptions, ClientOptions, ScanOptions } from "./client.js";
export type { components, operations, paths } from "./description.js";
export { ApiError, ConnectionError, Eco2Error, unwrap, UploadError } from "./errors.js";
export type { Reason, Scan, Session, Status } from "./errors.js";
export type { RetryOptions } from "./retries.js";
export type { SessionStore } from "./sessions.js";
export { shrunk } from "./shrink.js";
export type { ShrinkOptions } from "./shrink.js";
export type { ScanEvent, WatchOptions } from "./watch.js";
