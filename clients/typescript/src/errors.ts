/** What can go wrong, as errors to decide by. */

import type { components } from "./description.js";

type Schemas = components["schemas"];

export type Reason = Schemas["ErrorReason"];
export type Scan = Schemas["Scan"];
export type Session = Schemas["Session"];
export type Status = Schemas["Status"];

/** Whatever this package throws by itself. What is aborted rejects with its signal's reason instead. */
export class Eco2Error extends Error {}

/** The API refused. Decide by `reason`; more reasons may be added. */
export class ApiError extends Eco2Error {
  override readonly name = "ApiError";
  /** Why; undefined if something before the API answered, such as a proxy. */
  readonly reason: Reason | undefined;
  /** By reason, such as the scan's id. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields of the request that broke a rule. */
  readonly fields: readonly Schemas["FieldViolation"][];
  /** What to show the user, by language. One language if the client named one. */
  readonly texts: Readonly<Record<string, string>>;
  /** In how many milliseconds another try makes sense; undefined if it makes none. */
  readonly retryAfter: number | undefined;

  /**
   * @param status - What the API said, as far as it did; also the `error` of a scan that failed.
   * @param httpStatus - Of the reply; 0 for a scan's error.
   * @param headers - Of the reply.
   */
  constructor(
    status: Partial<Status>,
    readonly httpStatus = 0,
    headers?: Headers,
  ) {
    super(status.message || `HTTP ${httpStatus}`);
    const texts: Record<string, string> = {};
    let info: Schemas["ErrorInfo"] | undefined;
    let fields: readonly Schemas["FieldViolation"][] = [];
    let delay: string | undefined;
    for (const detail of status.details ?? []) {
      if (detail["@type"] === "type.googleapis.com/google.rpc.ErrorInfo") info = detail;
      if (detail["@type"] === "type.googleapis.com/google.rpc.BadRequest") fields = detail.field_violations ?? [];
      if (detail["@type"] === "type.googleapis.com/google.rpc.RetryInfo") delay = detail.retry_delay ?? "0s";
      if (detail["@type"] === "type.googleapis.com/google.rpc.LocalizedMessage" && detail.locale) {
        texts[detail.locale] = detail.message ?? "";
      }
    }
    this.reason = info?.reason;
    this.metadata = info?.metadata ?? {};
    this.fields = fields;
    this.texts = texts;
    // Both say the same; the header in whole seconds, and also where something before the API answers.
    const seconds = Number.parseFloat(delay ?? headers?.get("Retry-After") ?? "");
    this.retryAfter = Number.isNaN(seconds) ? undefined : seconds * 1000;
  }

  /** What a reply says. Its body is used up. */
  static async of(response: Response): Promise<ApiError> {
    const body = await response.text();
    return new ApiError(parsed(body), response.status, response.headers);
  }
}

/** Object storage refused the photo. */
export class UploadError extends Eco2Error {
  override readonly name = "UploadError";

  constructor(readonly httpStatus: number) {
    super(`The photo's upload was answered with HTTP ${httpStatus}`);
  }
}

/** Nothing answered, after all tries; `cause` is the last failure. */
export class ConnectionError extends Eco2Error {
  override readonly name = "ConnectionError";
}

function parsed(body: string): Partial<Status> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/**
 * What a call of `api` brought.
 *
 * @throws ApiError - It was refused.
 */
export function unwrap<R extends { data?: unknown; error?: unknown; response: Response }>(
  result: R,
): Exclude<R["data"], undefined> {
  const { data, error, response } = result;
  if (response.ok) return data as Exclude<R["data"], undefined>;
  throw new ApiError(typeof error === "object" && error !== null ? error : {}, response.status, response.headers);
}
