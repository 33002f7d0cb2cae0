/** An edge that does what a test says, in this process. */

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { Eco2Client, type ClientOptions, type Reason } from "../src/index.js";

/** A request as it came. */
export interface Seen {
  call: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Reply = (response: ServerResponse, seen: Seen) => void;

/** What answers each "METHOD path", in order; the last reply is repeated. */
export type Script = Record<string, Reply[]>;

/** A running edge. */
export class Edge {
  readonly seen: Seen[] = [];
  /** Milliseconds, of all pauses between tries. */
  readonly pauses: number[] = [];
  url = "";

  private constructor(private readonly script: Script) {}

  static async running(test: TestContext, script: Script): Promise<Edge> {
    const edge = new Edge(script);
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const call = `${request.method} ${request.url?.split("?")[0]}`;
        edge.answer(response, { call, headers: request.headers, body: Buffer.concat(chunks).toString() });
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    test.after(() => {
      server.closeAllConnections();
      server.close();
    });
    edge.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return edge;
  }

  /** A client of it, which never really pauses. */
  client(options: Partial<ClientOptions> = {}): Eco2Client {
    const pause = async (milliseconds: number, signal: AbortSignal | undefined) => {
      this.pauses.push(milliseconds);
      signal?.throwIfAborted();
    };
    return new Eco2Client({ baseUrl: this.url, token: "token", retries: { pause }, ...options });
  }

  /** The requests to one "METHOD path". */
  to(call: string): Seen[] {
    return this.seen.filter((each) => each.call === call);
  }

  private answer(response: ServerResponse, seen: Seen): void {
    this.seen.push(seen);
    const replies = this.script[seen.call] ?? [];
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (reply) reply(response, seen);
    else response.writeHead(501).end();
  }
}

/** A reply of JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return (response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

/** A refusal, with when to come again in `delay` and in whole seconds in the header. */
export function refusal(status: number, reason: Reason, delay?: string, ...details: object[]): Reply {
  const info = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "eco2.app" };
  const retry = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retry_delay: delay };
  const body = { code: 1, message: reason, details: [info, ...(delay ? [retry] : []), ...details] };
  return json(body, status, delay ? { "Retry-After": String(Math.ceil(Number.parseFloat(delay))) } : {});
}

/** The connection is cut before any reply. */
export const lost: Reply = (response) => {
  response.destroy();
};

/** The connection is cut in the middle of a reply. */
export const torn: Reply = (response) => {
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" });
  response.write('{"scan_id": "', () => response.destroy());
};

/** An event as the edge writes it. */
export function event(name: string, version: number, scan: object = {}): string {
  const data = { type: `TYPE_${name.toUpperCase()}`, scan: { scan_id: SCAN, version, ...scan } };
  return `id: ${version}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A stream of events, which then ends, is cut, or stays open. */
export function events(text: string, then: "end" | "cut" | "open" = "end"): Reply {
  return (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(text, () => {
      if (then === "end") response.end();
      if (then === "cut") response.destroy();
    });
  };
}

export const SCAN = "0197a1b2-0000-7000-8000-000000000001";
export const WATCH = `GET /v1/scans/${SCAN}:watch`;
export const START = `POST /v1/scans/${SCAN}:start`;
