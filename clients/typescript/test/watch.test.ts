import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ApiError, ConnectionError, type ScanEvent } from "../src/index.js";
import { Edge, event, events, lost, refusal, SCAN, WATCH, type Reply } from "./edge.js";

async function told(watch: AsyncIterable<ScanEvent>): Promise<string[]> {
  const seen = [];
  for await (const { type, version } of watch) seen.push(`${type} ${version}`);
  return seen;
}

test("a watch goes on after the last version, whatever ends a connection", async (t) => {
  const edge = await Edge.running(t, {
    [WATCH]: [
      events(`retry: 1000\n\n${event("snapshot", 2)}${event("update", 3)}id: 4\nevent: update\ndata: {"ty`, "cut"),
      lost,
      refusal(503, "UNAVAILABLE", "1s"),
      events(`${event("update", 5)}event: reconnect\ndata: {"type": "TYPE_RECONNECT"}\n\n`),
      events(`: heartbeat\n\n${event("snapshot", 5)}${event("update", 6)}`),
      events(event("terminal", 6, { state: "STATE_SUCCEEDED" }), "open"),
    ],
  });
  const seen = await told(edge.client().watch(SCAN));

  assert.deepEqual(seen, ["snapshot 2", "update 3", "update 5", "update 6", "terminal 6"]);
  const resumed = edge.to(WATCH).map(({ headers }) => headers["last-event-id"]);
  assert.deepEqual(resumed, [undefined, "3", "3", "3", "5", "6"]);
  assert.ok(edge.to(WATCH).every(({ headers }) => headers.accept === "text/event-stream"));
});

test("a watch goes on after a version that the application names", async (t) => {
  const edge = await Edge.running(t, { [WATCH]: [events(event("terminal", 9))] });
  assert.deepEqual(await told(edge.client().watch(SCAN, { afterVersion: 9 })), ["terminal 9"]);
  assert.equal(edge.seen[0]?.headers["last-event-id"], "9");
});

test("a watch that brings nothing new for long gives up", async (t) => {
  const edge = await Edge.running(t, { [WATCH]: [events(event("snapshot", 1), "cut")] });
  await assert.rejects(told(edge.client().watch(SCAN)), ConnectionError);
  assert.equal(edge.seen.length, 8);
});

test("a watch that is refused says why, once", async (t) => {
  const edge = await Edge.running(t, { [WATCH]: [refusal(404, "SCAN_NOT_FOUND")] });
  const refused = (error: unknown) => error instanceof ApiError && error.reason === "SCAN_NOT_FOUND";
  await assert.rejects(told(edge.client().watch(SCAN)), refused);
  assert.equal(edge.seen.length, 1);
});

function noticing(): { reply: Reply; gone: Promise<unknown> } {
  let left: (value: unknown) => void;
  const gone = new Promise((resolve) => (left = resolve));
  const open = events(event("snapshot", 1), "open");
  return {
    gone,
    reply: (response, seen) => {
      void once(response, "close").then(left);
      open(response, seen);
    },
  };
}

test("who leaves the loop is gone for the server, too", async (t) => {
  const { reply, gone } = noticing();
  const edge = await Edge.running(t, { [WATCH]: [reply] });
  for await (const { version } of edge.client().watch(SCAN)) {
    assert.equal(version, 1);
    break;
  }
  await gone;
});

test("an abort ends a silent watch with its reason", async (t) => {
  const { reply, gone } = noticing();
  const edge = await Edge.running(t, { [WATCH]: [reply] });
  const controller = new AbortController();
  const left = new Error("the page was left");
  const watch = edge.client().watch(SCAN, { signal: controller.signal });
  await watch.next();
  const next = watch.next();
  controller.abort(left);
  await assert.rejects(next, left);
  await gone;
  await assert.rejects(told(edge.client().watch(SCAN, { signal: controller.signal })), left);
  assert.equal(edge.seen.length, 1);
});
