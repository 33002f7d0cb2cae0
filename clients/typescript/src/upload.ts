/** Brings a photo to object storage and starts its scan. All of it may be repeated: its request_id makes it one scan. */

import type { Client } from "openapi-fetch";
import type { components, paths } from "./description.js";
import { randomId, sha256 } from "./digests.js";
import { unwrap, UploadError, type Scan } from "./errors.js";
import { mediaType } from "./media-type.js";
import { persistent, type Retries, type Send } from "./retries.js";

type Schemas = components["schemas"];
type Ticket = Schemas["UploadTicket"];

/** What to say about a photo, beside the photo. */
export type Particulars = Omit<Schemas["CreateScanRequest"], "upload" | "image_url">;

const TICKETS = 3;
const FORBIDDEN = 403;
const ALREADY_THERE = 412;

/** Creates, uploads and starts scans. */
export class Uploader {
  constructor(
    private readonly api: Client<paths>,
    private readonly fetch: Send,
    private readonly retries: Retries,
  ) {}

  /**
   * A scan of the photo, or of the one at a public address; queued.
   *
   * @throws ApiError - The scan is refused.
   * @throws UploadError - The photo is.
   */
  async started(photo: Blob | URL, particulars: Particulars, signal: AbortSignal | undefined): Promise<Scan> {
    const body = { ...particulars, request_id: particulars.request_id || randomId(), ...(await source(photo)) };
    for (let ticket = 1; ; ticket += 1) {
      const { scan = {}, upload } = unwrap(await this.api.POST("/v1/scans", { body, ...aborted(signal) }));
      if (!upload || photo instanceof URL) return scan; // it needs none, or an earlier call with this id has done it
      const status = await this.put(photo, upload, signal);
      if (status < 300 || status === ALREADY_THERE) return this.start(scan, signal);
      // An address is good for five minutes, of which a slow line may need more.
      if (status !== FORBIDDEN || ticket === TICKETS) throw new UploadError(status);
    }
  }

  private async put(photo: Blob, ticket: Ticket, signal: AbortSignal | undefined): Promise<number> {
    const headers = new Headers(ticket.headers);
    headers.delete("Content-Length"); // fetch's to set: the photo has just the announced size
    const put = { method: ticket.method ?? "PUT", headers, body: photo, ...aborted(signal) };
    const response = await persistent(() => new Request(ticket.url ?? "", put), this.fetch, this.retries);
    await response.body?.cancel();
    return response.status;
  }

  private async start(scan: Scan, signal: AbortSignal | undefined): Promise<Scan> {
    const path = { scan_id: scan.scan_id ?? "" };
    return unwrap(await this.api.POST("/v1/scans/{scan_id}:start", { params: { path }, body: {}, ...aborted(signal) }));
  }
}

/** A signal as fetch takes it: there, or not. */
export function aborted(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

async function source(photo: Blob | URL): Promise<Pick<Schemas["CreateScanRequest"], "upload" | "image_url">> {
  if (photo instanceof URL) return { image_url: photo.href };
  const digest = await sha256(photo);
  const content_type = (photo.type || (await mediaType(photo))) as Schemas["Upload"]["content_type"];
  return { upload: { content_type, size_bytes: photo.size, ...(digest ? { sha256: digest } : {}) } };
}
