import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, type Session, type SessionStore } from "../src/index.js";
import { Edge, json, lost, refusal, type Reply } from "./edge.js";

const REFRESH = "POST /v1/auth/token:refresh";
const first: Session = { access_token: "access-1", refresh_token: "refresh-1" };
const second: Session = { access_token: "access-2", refresh_token: "refresh-2" };

/** Takes one token. */
function guarded(token: string): Reply {
  return (response, seen) => {
    const good = seen.headers.authorization === `Bearer ${token}`;
    (good ? json({}) : refusal(401, "UNAUTHENTICATED"))(response, seen);
  };
}

class Store implements SessionStore {
  constructor(public kept: Session | undefined) {}
  load = () => this.kept;
  save = (session: Session | undefined) => {
    this.kept = session;
  };
}

test("many calls with a token that has expired refresh it once", async (t) => {
  const edge = await Edge.running(t, { "GET /v1/me": [guarded("access-2")], [REFRESH]: [lost, json(second)] });
  const session = new Store(first);
  const { api } = edge.client({ token: undefined, session });
  const replies = await Promise.all(Array.from({ length: 10 }, () => api.GET("/v1/me")));

  assert.ok(replies.every(({ response }) => response.ok));
  assert.deepEqual(session.kept, second);
  const bodies = edge.to(REFRESH).map(({ body }) => body); // the lost one and its repetition
  assert.deepEqual([bodies.length, new Set(bodies).size], [2, 1]);
  const { request_id, refresh_token } = JSON.parse(bodies[0] ?? "");
  assert.equal(refresh_token, "refresh-1");
  assert.match(request_id, /^[0-9a-f]{32}$/);
  assert.ok(edge.to(REFRESH).every(({ headers }) => headers.authorization === undefined));
});

test("a session that has ended is forgotten", async (t) => {
  const edge = await Edge.running(t, {
    "GET /v1/me": [guarded("none")],
    [REFRESH]: [refusal(401, "SESSION_ENDED")],
  });
  const session = new Store(first);
  const { api } = edge.client({ token: undefined, session });
  await assert.rejects(api.GET("/v1/me"), (error) => error instanceof ApiError && error.reason === "SESSION_ENDED");
  assert.equal(session.kept, undefined);
  assert.equal((await api.GET("/v1/me")).response.status, 401);
  assert.equal(edge.to(REFRESH).length, 1);
});

test("a guest's session is used from then on", async (t) => {
  const edge = await Edge.running(t, { "POST /v1/auth/guest": [json(first)], "GET /v1/me": [guarded("access-1")] });
  const client = edge.client({ token: undefined });
  await client.signInAsGuest();
  assert.ok((await client.api.GET("/v1/me")).response.ok);
});

test("an application that gives tokens is asked for another one, once", async (t) => {
  const edge = await Edge.running(t, { "GET /v1/me": [guarded("new")] });
  const tokens = ["old", "new"];
  const { api } = edge.client({ token: () => tokens.shift() ?? "none" });
  assert.ok((await api.GET("/v1/me")).response.ok);
  const { response } = await edge.client({ token: "old" }).api.GET("/v1/me");
  assert.equal(response.status, 401);
});
