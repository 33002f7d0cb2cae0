import assert from "node:assert/strict";
import { test } from "node:test";
import { serverSentEvents } from "../src/event-stream.js";

const TEXT = "\uFEFFretry: 1000\n\n: 안녕\nid: 7\r\nevent: update\r\ndata: 종이\ndata:  두 줄\r\rdata\n\nid: 8\nevent: none\n\ndata: rest";
const EVENTS = [
  { id: "7", name: "update", data: "종이\n 두 줄" },
  { id: "7", name: "message", data: "" },
];

async function* cut(bytes: Uint8Array, ...places: number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const place of [...places, bytes.length]) {
    yield bytes.slice(from, place);
    from = place;
  }
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const events = [];
  for await (const event of serverSentEvents(chunks)) events.push(event);
  return events;
}

test("events are the same wherever their bytes are cut", async () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (let place = 0; place < bytes.length; place += 1) {
    assert.deepEqual(await read(cut(bytes, place)), EVENTS, `cut at ${place}`);
  }
  assert.deepEqual(await read(cut(bytes, ...bytes.keys())), EVENTS);
});
