// A page as an integrator writes one: it signs somebody in, uploads a photo and watches the scan, all by gRPC-Web, and
// watches it again by EventSource.
//
// Its address names the edge (?edge=…). What came of it is `window.outcome`, for the test.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AuthService } from "./eco2/auth/v1/auth_service_pb";
import { OperationsService } from "./eco2/scan/v1/operations_service_pb";
import { Scan_State } from "./eco2/scan/v1/scan_pb";
import { ScanService, WatchScanResponse_Type } from "./eco2/scan/v1/scan_service_pb";
import { ErrorInfoSchema, LocalizedMessageSchema } from "./google/rpc/error_details_pb";

const PROVIDER = "standin";
const UNKNOWN_SCAN = "0197a1b2-0000-7000-8000-000000000001";
const redirectUri = `${location.origin}/callback`;
const parameters = new URLSearchParams(location.search);
const edge = parameters.get("edge") ?? sessionStorage.getItem("edge") ?? "";

let token = "";
const transport = createGrpcWebTransport({
  baseUrl: edge,
  interceptors: [
    (next) => (request) => {
      if (token) request.header.set("Authorization", `Bearer ${token}`);
      return next(request);
    },
  ],
});
const auth = createClient(AuthService, transport);
const scans = createClient(ScanService, transport);
const operations = createClient(OperationsService, transport);

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function sha256(bytes: BufferSource): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

async function beginSignIn(): Promise<void> {
  const codeVerifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const codeChallenge = base64url(await sha256(new TextEncoder().encode(codeVerifier)));
  const begun = await auth.beginSignIn({ provider: PROVIDER, redirectUri, codeChallenge });
  for (const [name, value] of Object.entries({ edge, codeVerifier, state: begun.state })) {
    sessionStorage.setItem(name, value);
  }
  location.assign(begun.authorizationUrl);
}

async function completeSignIn(): Promise<void> {
  const state = parameters.get("state") ?? "";
  if (state !== sessionStorage.getItem("state")) throw new Error("not the state of this page");
  const session = await auth.completeSignIn({
    provider: PROVIDER,
    state,
    code: parameters.get("code") ?? "",
    codeVerifier: sessionStorage.getItem("codeVerifier") ?? "",
  });
  token = session.accessToken;
}

function seenByEventSource(address: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    const events = new EventSource(address);
    for (const name of ["snapshot", "update", "terminal"]) events.addEventListener(name, () => seen.push(name));
    events.addEventListener("terminal", () => {
      events.close();
      resolve(seen);
    });
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) reject(new Error("EventSource gave up"));
    });
  });
}

async function scanned(): Promise<object> {
  const photo = await (await fetch("/photo.jpg")).arrayBuffer();
  const digest = Array.from(await sha256(photo), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const created = await scans.createScan({
    source: { case: "upload", value: { contentType: "image/jpeg", sizeBytes: photo.byteLength, sha256: digest } },
    locale: "en",
  });
  const scanId = created.scan?.scanId ?? "";
  const ticket = created.upload;
  const put = await fetch(ticket?.url ?? "", { method: ticket?.method, headers: ticket?.headers, body: photo });
  await scans.startScan({ scanId });
  const types: string[] = [];
  for await (const event of scans.watchScan({ scanId })) {
    types.push(WatchScanResponse_Type[event.type]);
    if (event.type === WatchScanResponse_Type.TERMINAL) break;
  }
  const scan = await scans.getScan({ scanId });
  const history = await scans.listScans({});
  const { watchUrl } = await auth.createWatchTicket({ scanId });
  return {
    uploaded: put.status,
    types,
    eventSource: await seenByEventSource(edge + watchUrl),
    refusedTicket: await seenByEventSource(edge + watchUrl.replace("ticket=", "ticket=x")).catch(String),
    state: Scan_State[scan.state],
    answer: scan.answer?.how,
    history: history.scans.map((each) => each.scanId === scanId),
  };
}

async function refusal(call: () => Promise<unknown>): Promise<object> {
  try {
    await call();
  } catch (error) {
    const refused = ConnectError.from(error);
    return {
      code: Code[refused.code],
      message: refused.rawMessage,
      reason: refused.findDetails(ErrorInfoSchema).map((info) => info.reason),
      locales: refused.findDetails(LocalizedMessageSchema).map((text) => text.locale),
    };
  }
  return { code: "OK" };
}

async function watchUnknown(): Promise<void> {
  for await (const _ of scans.watchScan({ scanId: UNKNOWN_SCAN })) break;
}

async function refusals(): Promise<object> {
  const signedIn = token;
  const found: Record<string, object> = {
    unknownScan: await refusal(() => scans.getScan({ scanId: UNKNOWN_SCAN })),
    unknownWatch: await refusal(watchUnknown),
    badField: await refusal(() => scans.getScan({ scanId: "none" })),
    internal: await refusal(() => operations.getQueueStats({})),
    tooLarge: await refusal(() => scans.createScan({ userInput: "a".repeat(2 << 20) })),
  };
  token = "";
  found.noToken = await refusal(() => scans.listScans({}));
  found.noTokenWatch = await refusal(watchUnknown);
  token = `x${signedIn}`;
  found.badToken = await refusal(() => scans.listScans({}));
  token = signedIn;
  return found;
}

async function run(): Promise<object> {
  if (!location.pathname.endsWith("/callback")) {
    return refusal(beginSignIn);
  }
  await completeSignIn();
  const me = await auth.getMe({});
  return { guest: me.guest, names: me.identities.map((each) => each.name), scan: await scanned(), refusals: await refusals() };
}

declare global {
  interface Window {
    outcome?: object;
  }
}

const outcome = await run().catch((error: unknown) => ({ failed: String(error) }));
// On the way to the provider the page says nothing.
if (!("code" in outcome && outcome.code === "OK")) window.outcome = outcome;
