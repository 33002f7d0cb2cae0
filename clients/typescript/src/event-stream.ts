/** Server-Sent Events, as the HTML standard has them: read from a reply, since EventSource sends no token. */

/** One event. `retry` fields are passed over: who reconnects has its own pauses. */
export interface ServerSentEvent {
  /** The last id that the stream named; empty before the first. */
  id: string;
  /** Its name; "message" if it has none. */
  name: string;
  data: string;
}

const LINE_END = /\r\n|\n|\r/;

/** The lines of UTF-8 text, which may be cut anywhere. What follows the last end of a line is left out. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = LINE_END.exec(rest); end; end = LINE_END.exec(rest)) {
      // A line feed may follow in the next chunk.
      if (end[0] === "\r" && end.index === rest.length - 1) break;
      yield rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
    }
  }
  if (rest.endsWith("\r")) yield rest.slice(0, -1);
}

/** The events in a reply's body, as they come. One that was begun and not ended is left out. */
export async function* serverSentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let id = "";
  let name = "";
  let data: string[] = [];
  for await (const line of lines(chunks)) {
    if (line === "") {
      if (data.length) yield { id, name: name || "message", data: data.join("\n") };
      name = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
  }
}
