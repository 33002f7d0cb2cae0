/** The client: the whole API, typed by its description, and by hand what a description can't say. */

import createApi, { type Client, type Middleware } from "openapi-fetch";
import type { components, paths } from "./description.js";
import { randomId } from "./digests.js";
import { unwrap, type Scan, type Session } from "./errors.js";
import { DEFAULTS, persistent, whole, type Retries, type RetryOptions, type Send } from "./retries.js";
import { given, inMemory, refreshed, type SessionStore, type Tokens, type TokenSource } from "./sessions.js";
import { shrunk, type ShrinkOptions } from "./shrink.js";
import { aborted, Uploader, type Particulars } from "./upload.js";
import { watched, type ScanEvent, type WatchOptions } from "./watch.js";

/** What a client needs to know. */
export interface ClientOptions {
  /** Where Eco² is, such as "https://eco2.app"; on a page that it serves, `location.origin`. */
  baseUrl: string;
  /** An access token that somebody else looks after. */
  token?: TokenSource;
  /** A session, or where it is kept: its tokens are refreshed by themselves. Default: one that `signInAsGuest` begins. */
  session?: Session | SessionStore;
  /** Language of texts and errors: "ko" or "en". Default: the browser's, else Korean. */
  locale?: string;
  retries?: RetryOptions;
  /** Default: the platform's. */
  fetch?: (request: Request) => Promise<Response>;
}

/** What to say about a photo, and how to send it. */
export interface ScanOptions extends Particulars {
  /** How small to make the photo first, where the platform can; false: not at all. */
  shrink?: ShrinkOptions | false;
  signal?: AbortSignal;
}

/** How to reply to an answer. */
export interface AnswerOptions {
  /** The user's consent to keep what the reply says about the photo. */
  may_learn?: boolean;
  request_id?: string;
  signal?: AbortSignal;
}

/** A photo: a file, its bytes, or a public address. */
export type Photo = Blob | BufferSource | URL;

const UNAUTHORIZED = 401;
/** What needs no token, and what tokens come from. Who begins to sign in may be a guest already. */
const WITHOUT_TOKEN = /\/v1\/auth\/(?!.*:begin$)/;
const IDENTIFIED = new Set(["/v1/scans", "/v1/jobs", "/v1/scans/{scan_id}:answer", "/v1/auth/token:refresh"]);

/** Makes a call one call, however often it is sent. */
const identified: Middleware = {
  async onRequest({ request, schemaPath }) {
    if (request.method !== "POST" || !IDENTIFIED.has(schemaPath)) return undefined;
    const body = (await request.clone().json()) as { request_id?: string };
    if (body.request_id) return undefined;
    return new Request(request, { body: JSON.stringify({ ...body, request_id: randomId() }) });
  },
};

/**
 * Eco² for one user.
 *
 * Whatever is lost or refused for now is sent again by itself, and happens once. All that throws is an Eco2Error, or the
 * reason of a signal that was aborted.
 */
export class Eco2Client {
  /** Every path of the description, typed: `unwrap(await client.api.GET("/v1/me"))`. */
  readonly api: Client<paths>;
  readonly #fetch: Send;
  readonly #retries: Retries;
  readonly #tokens: Tokens;
  readonly #store: SessionStore;
  readonly #uploader: Uploader;

  constructor({ baseUrl, token, session, locale, retries, fetch: send }: ClientOptions) {
    this.#fetch = send ?? ((request) => fetch(request));
    this.#retries = { ...DEFAULTS, ...retries };
    this.#store = session && "load" in session ? session : inMemory(session);
    this.#tokens = token === undefined ? refreshed(this.#store, (spent) => this.#refreshed(spent)) : given(token);
    this.api = createApi<paths>({
      baseUrl,
      headers: locale ? { "Accept-Language": locale } : {},
      fetch: (request) => persistent(() => request.clone(), (each) => this.#answered(each), this.#retries),
    });
    this.api.use(identified);
    this.#uploader = new Uploader(this.api, this.#fetch, this.#retries);
  }

  /** Begins a session as a guest; it is this client's from now on. */
  async signInAsGuest(signal?: AbortSignal): Promise<Session> {
    const session = unwrap(await this.api.POST("/v1/auth/guest", { body: {}, ...aborted(signal) }));
    await this.#store.save(session);
    return session;
  }

  /** Scans a photo, and tells how it goes until it has ended. To leave the loop ends the watch, not the scan. */
  async *scan(photo: Photo, options: ScanOptions = {}): AsyncGenerator<ScanEvent> {
    const { scan_id = "" } = await this.upload(photo, options);
    yield* this.watch(scan_id, options);
  }

  /** Uploads a photo and starts its scan. Again with the same `request_id` and photo it is the same scan. */
  async upload(photo: Photo, { shrink, signal, ...particulars }: ScanOptions = {}): Promise<Scan> {
    const file = photo instanceof URL || photo instanceof Blob ? photo : new Blob([photo]);
    const smaller = shrink === false || file instanceof URL ? file : await shrunk(file, shrink);
    return this.#uploader.started(smaller, particulars, signal);
  }

  /** A scan's events until its end. One that has ended already has one. */
  watch(scanId: string, { afterVersion, signal }: WatchOptions = {}): AsyncGenerator<ScanEvent> {
    const open = async (seen: number, connection: AbortSignal) => {
      const { response, error, data } = await this.api.GET("/v1/scans/{scan_id}:watch", {
        params: { path: { scan_id: scanId }, header: seen ? { "Last-Event-ID": String(seen) } : {} },
        headers: { Accept: "text/event-stream" },
        parseAs: "stream",
        signal: connection,
      });
      unwrap({ response, error, data });
      return response;
    };
    return watched(open, { ...(afterVersion === undefined ? {} : { afterVersion }), ...aborted(signal) }, this.#retries);
  }

  /** Replies to what a scan's answer left open, or says that it is wrong. */
  async answer(
    scanId: string,
    reply: string,
    { signal, ...options }: AnswerOptions = {},
  ): Promise<components["schemas"]["AnswerQuestionResponse"]> {
    const params = { path: { scan_id: scanId } };
    const body = { ...options, reply };
    return unwrap(await this.api.POST("/v1/scans/{scan_id}:answer", { params, body, ...aborted(signal) }));
  }

  async #refreshed(refreshToken: string): Promise<Session> {
    return unwrap(await this.api.POST("/v1/auth/token:refresh", { body: { refresh_token: refreshToken } }));
  }

  async #answered(request: Request): Promise<Response> {
    return whole(await this.#authorised(request));
  }

  /** Sends a request with a token, and once more with another one if that is refused. */
  async #authorised(request: Request): Promise<Response> {
    if (WITHOUT_TOKEN.test(new URL(request.url).pathname)) return this.#fetch(request);
    const token = await this.#tokens.current();
    const again = request.clone();
    const response = await this.#fetch(bearing(request, token));
    if (response.status !== UNAUTHORIZED) return response;
    const other = await this.#tokens.renewed(token);
    if (other === undefined) return response;
    await response.body?.cancel();
    return this.#fetch(bearing(again, other));
  }
}

function bearing(request: Request, token: string | undefined): Request {
  if (token !== undefined) request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}
