import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApiError, UploadError, type Reason } from "../src/index.js";
import { Edge, event, events, json, lost, refusal, SCAN, START, torn, WATCH, type Reply, type Script } from "./edge.js";

const PHOTO = new TextEncoder().encode("a photo");
const CREATE = "POST /v1/scans";
const PUT = "PUT /storage/photo";
const ok: Reply = (response) => {
  response.end();
};

function answered(status: number): Reply {
  return (response) => {
    response.writeHead(status).end();
  };
}

/** A scan that asks for an upload, as the edge at this address would. */
const created: Reply = (response, seen) => {
  const headers = { "Content-Type": "image/jpeg", "Content-Length": "7", "If-None-Match": "*" };
  const upload = { url: `http://${seen.headers.host}/storage/photo`, method: "PUT", headers };
  json({ scan: { scan_id: SCAN, state: "STATE_AWAITING_UPLOAD" }, upload })(response, seen);
};
const started = json({ scan_id: SCAN, state: "STATE_QUEUED" });
const FLOW: Script = {
  [CREATE]: [created],
  [PUT]: [ok],
  [START]: [started],
  [WATCH]: [events(event("snapshot", 1) + event("terminal", 2, { state: "STATE_SUCCEEDED" }))],
};

test("a scan goes from the photo to its end", async (t) => {
  const edge = await Edge.running(t, { ...FLOW });
  const states = [];
  for await (const { scan } of edge.client({ locale: "en" }).scan(PHOTO, { user_input: "종이?" })) states.push(scan.state);

  assert.deepEqual(states, [undefined, "STATE_SUCCEEDED"]);
  assert.deepEqual(edge.seen.map(({ call }) => call), [CREATE, PUT, START, WATCH]);
  const [create, put, start] = edge.seen;
  const { request_id, ...body } = JSON.parse(create?.body ?? "");
  const sha256 = createHash("sha256").update(PHOTO).digest("hex");
  assert.deepEqual(body, { user_input: "종이?", upload: { content_type: "image/jpeg", size_bytes: 7, sha256 } });
  assert.match(request_id, /^[0-9a-f]{32}$/);
  assert.equal(put?.body, "a photo");
  assert.equal(put?.headers["if-none-match"], "*");
  assert.equal(put?.headers.authorization, undefined);
  assert.equal(start?.headers.authorization, "Bearer token");
  assert.equal(start?.headers["accept-language"], "en");
});

test("bytes without a type are announced as what they are", async (t) => {
  const files = { "image/png": "\x89PNG\r\n\x1a\n....", "image/webp": "RIFF....WEBP", "image/heic": "....ftypheic", "image/jpeg": "\xff\xd8\xff" };
  for (const [type, head] of Object.entries(files)) {
    const edge = await Edge.running(t, { ...FLOW });
    for await (const { version } of edge.client().scan(Uint8Array.from(head, (letter) => letter.charCodeAt(0)))) assert.ok(version);
    assert.equal(JSON.parse(edge.seen[0]?.body ?? "").upload.content_type, type);
  }
});

test("whatever is lost on the way, it stays one scan", async (t) => {
  const edge = await Edge.running(t, {
    [CREATE]: [lost, torn, refusal(429, "SCAN_BACKLOG", "2.5s"), refusal(503, "UNAVAILABLE"), answered(502), created],
    [PUT]: [lost, answered(503), answered(412)],
    [START]: [torn, started],
    [WATCH]: [lost, events(event("terminal", 2))],
  });
  for await (const { version } of edge.client().scan(PHOTO)) assert.equal(version, 2);

  const ids = edge.to(CREATE).map(({ body }) => JSON.parse(body).request_id);
  assert.deepEqual([ids.length, new Set(ids).size], [6, 1]);
  const asked = edge.pauses[2] ?? 0; // after the third try: as long as the server says, and a little more
  assert.ok(asked >= 2500 && asked <= 2750, `${edge.pauses}`);
});

test("an address that has expired is replaced", async (t) => {
  const edge = await Edge.running(t, { ...FLOW, [PUT]: [answered(403), ok] });
  assert.equal((await edge.client().upload(PHOTO)).state, "STATE_QUEUED");
  const ids = edge.to(CREATE).map(({ body }) => JSON.parse(body).request_id);
  assert.deepEqual([ids.length, new Set(ids).size], [2, 1]);
});

test("storage's refusal is told", async (t) => {
  const edge = await Edge.running(t, { ...FLOW, [PUT]: [answered(400)] });
  await assert.rejects(edge.client().upload(PHOTO), (error) => error instanceof UploadError && error.httpStatus === 400);
});

test("a scan that an earlier call has uploaded isn't uploaded again", async (t) => {
  const running = { scan_id: SCAN, state: "STATE_RUNNING" };
  const edge = await Edge.running(t, { [CREATE]: [json({ scan: running })] });
  assert.deepEqual(await edge.client().upload(PHOTO, { request_id: "mine" }), running);
  assert.deepEqual(edge.seen.map(({ body }) => JSON.parse(body).request_id), ["mine"]);
});

test("a photo may be at an address", async (t) => {
  const edge = await Edge.running(t, { [CREATE]: [json({ scan: { scan_id: SCAN } })] });
  await edge.client().upload(new URL("https://example.com/photo.jpg"));
  assert.equal(JSON.parse(edge.seen[0]?.body ?? "").image_url, "https://example.com/photo.jpg");
});

test("a reply to an answer is one reply, however often it is sent", async (t) => {
  const call = `POST /v1/scans/${SCAN}:answer`;
  const edge = await Edge.running(t, { [call]: [lost, refusal(409, "REPLY_UNDERWAY", "1s"), json({ outcome: "settled" })] });
  await edge.client().answer(SCAN, "건전지예요", { may_learn: true });
  const bodies = edge.to(call).map(({ body }) => body);
  assert.deepEqual([bodies.length, new Set(bodies).size], [3, 1]);
  const { request_id, ...body } = JSON.parse(bodies[0] ?? "");
  assert.match(request_id, /^[0-9a-f]{32}$/);
  assert.deepEqual(body, { reply: "건전지예요", may_learn: true });
});

test("an abort ends an upload between two tries", async (t) => {
  const edge = await Edge.running(t, { [CREATE]: [lost] });
  const controller = new AbortController();
  const left = new Error("the page was left");
  const pause = async (_: number, signal: AbortSignal | undefined) => {
    controller.abort(left);
    signal?.throwIfAborted();
  };
  await assert.rejects(edge.client({ retries: { pause } }).upload(PHOTO, { signal: controller.signal }), left);
  assert.equal(edge.seen.length, 1);
});

test("a refusal for longer than one waits is told at once", async (t) => {
  const edge = await Edge.running(t, { [CREATE]: [refusal(429, "MODEL_BUDGET_SPENT", "3600s")] });
  const reason: Reason = "MODEL_BUDGET_SPENT";
  const told = (error: unknown) => error instanceof ApiError && error.reason === reason && error.retryAfter === 3_600_000;
  await assert.rejects(edge.client().upload(PHOTO), told);
  assert.equal(edge.seen.length, 1);
});
