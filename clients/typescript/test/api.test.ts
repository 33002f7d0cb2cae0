import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, ConnectionError, unwrap } from "../src/index.js";
import { Edge, json, lost, refusal, SCAN, torn } from "./edge.js";

const SCAN_CALL = `/v1/scans/${SCAN}`;
const path = { scan_id: SCAN };

async function refused(call: Promise<unknown>): Promise<ApiError> {
  return call.then(
    () => assert.fail("it went through"),
    (error: unknown) => (error instanceof ApiError ? error : Promise.reject(error)),
  );
}

test("a refusal has what programs and users need", async (t) => {
  const field = { field: "page_size", description: "too small" };
  const edge = await Edge.running(t, {
    "GET /v1/scans": [
      refusal(
        400,
        "INVALID_FIELD",
        undefined,
        { "@type": "type.googleapis.com/google.rpc.BadRequest", field_violations: [field] },
        { "@type": "type.googleapis.com/google.rpc.LocalizedMessage", locale: "en", message: "Please check it." },
      ),
    ],
  });
  const { api } = edge.client();
  const error = await refused(api.GET("/v1/scans", { params: { query: { page_size: -1 } } }).then(unwrap));
  assert.deepEqual([error.reason, error.httpStatus, error.retryAfter], ["INVALID_FIELD", 400, undefined]);
  assert.deepEqual([error.fields, error.texts], [[field], { en: "Please check it." }]);
});

test("who answers before the API may answer anything", async (t) => {
  const edge = await Edge.running(t, { "GET /v1/me": [(response) => response.writeHead(418).end("<html>")] });
  const error = await refused(edge.client().api.GET("/v1/me").then(unwrap));
  assert.deepEqual([error.reason, error.httpStatus, error.message], [undefined, 418, "HTTP 418"]);
});

test("a reply that is cut in the middle is asked for again", async (t) => {
  const edge = await Edge.running(t, { [`GET ${SCAN_CALL}`]: [torn, json({ scan_id: SCAN })] });
  const scan = unwrap(await edge.client().api.GET("/v1/scans/{scan_id}", { params: { path } }));
  assert.equal(scan.scan_id, SCAN);
});

test("what was removed by a call whose reply was lost is removed", async (t) => {
  const edge = await Edge.running(t, { [`DELETE ${SCAN_CALL}`]: [lost, refusal(404, "SCAN_NOT_FOUND")] });
  unwrap(await edge.client().api.DELETE("/v1/scans/{scan_id}", { params: { path } }));
  const error = await refused(edge.client().api.DELETE("/v1/scans/{scan_id}", { params: { path } }).then(unwrap));
  assert.equal(error.reason, "SCAN_NOT_FOUND");
});

test("a job is made once, however often it is asked for", async (t) => {
  const edge = await Edge.running(t, { "POST /v1/jobs": [lost, json({ job: { job_id: "1" } })] });
  const { job } = unwrap(await edge.client().api.POST("/v1/jobs", { body: { export: {} } }));
  assert.equal(job?.job_id, "1");
  const ids = edge.to("POST /v1/jobs").map(({ body }) => JSON.parse(body).request_id);
  assert.equal(ids.length, 2);
  assert.match(ids[0], /^[0-9a-f]{32}$/);
  assert.equal(ids[1], ids[0]);
});

test("what would happen again is sent once, unless it was refused", async (t) => {
  const edge = await Edge.running(t, {
    "POST /v1/buildings": [refusal(429, "RATE_LIMIT", "0.1s"), lost, json({})],
    "POST /v1/auth/kakao:complete": [refusal(503, "UNAVAILABLE", "1s"), json({})],
  });
  const { api } = edge.client();
  await assert.rejects(api.POST("/v1/buildings", { body: { building: { name: "한빛", region: "서울특별시/마포구" } } }), ConnectionError);
  assert.equal(edge.seen.length, 2);
  const body = { state: "state", code: "code", code_verifier: "v".repeat(43) };
  const signIn = api.POST("/v1/auth/{provider}:complete", { params: { path: { provider: "kakao" } }, body });
  assert.equal((await refused(signIn.then(unwrap))).reason, "UNAVAILABLE");
});

test("nobody answers", async (t) => {
  const edge = await Edge.running(t, { "GET /v1/me": [lost] });
  await assert.rejects(edge.client().api.GET("/v1/me"), (error) => error instanceof ConnectionError && !!error.cause);
  assert.equal(edge.seen.length, 8);
  assert.ok(edge.pauses.every((pause, tries) => pause <= 250 * 2 ** tries));
});

test("what the description doesn't have doesn't compile", async (t) => {
  const edge = await Edge.running(t, { "GET /v1/me": [json({})] });
  const { api } = edge.client();
  // @ts-expect-error: no such path
  await api.GET("/v1/mee");
  // @ts-expect-error: no such field
  unwrap(await api.GET("/v1/me")).usr_id;
  // @ts-expect-error: a number
  await api.GET("/v1/scans", { params: { query: { page_size: "5" } } });
});
