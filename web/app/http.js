// One request to the edge, and its errors as one kind: google.rpc.Status with a reason to decide by.

import { language } from "./language.js";

const SECONDS = 40; // the edge's own limit for the slowest call is 45

export class ApiError extends Error {
  constructor(status, body, retryAfter) {
    super(body?.message ?? `HTTP ${status}`);
    const details = body?.details ?? [];
    this.status = status;
    this.reason = details.find((each) => each.reason)?.reason ?? "INTERNAL";
    this.retrySeconds = Number(retryAfter) || 0;
    this.text = textOf(body);
  }
}

// The network is away, or the server is: nothing came back at all.
export class Unreachable extends Error {}

// The text for the user that a Status carries, in their language if it has one.
export function textOf(status) {
  const texts = (status?.details ?? []).filter((each) => each.locale && each.message);
  return (texts.find((each) => each.locale.startsWith(language())) ?? texts[0])?.message ?? "";
}

export async function open(method, path, { token = "", body, headers = {}, signal } = {}) {
  const all = { "Accept-Language": language(), ...headers };
  if (token) all.Authorization = `Bearer ${token}`;
  if (body !== undefined) all["Content-Type"] = "application/json";
  let response;
  try {
    const content = body === undefined ? undefined : JSON.stringify(body);
    response = await fetch(path, { method, headers: all, body: content, signal, cache: "no-store" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(String(error));
  }
  if (response.ok) return response;
  const refused = await response.json().catch(() => null);
  throw new ApiError(response.status, refused, response.headers.get("Retry-After"));
}

export async function send(method, path, options = {}) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), SECONDS * 1000);
  const given = options.signal;
  given?.addEventListener("abort", () => late.abort(), { once: true });
  try {
    const response = await open(method, path, { ...options, signal: late.signal });
    return await response.json();
  } catch (error) {
    if (error instanceof ApiError || error instanceof Unreachable || given?.aborted) throw error;
    throw new Unreachable(String(error));
  } finally {
    clearTimeout(timer);
  }
}
