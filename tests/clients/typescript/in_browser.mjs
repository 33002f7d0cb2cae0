// The client in headless Chromium: `node in_browser.mjs PACKAGES CLIENT PHOTO`, with the edge's address in the environment.
//
// On a page of another origin than the edge's it makes the photo smaller, and scans it as a guest. What came of it is
// printed as one line of JSON.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [packages, client, photo] = process.argv.slice(2);
const { launched } = await import(`${packages}/chromium.mjs`);
const files = {
  "/": ["text/html", "<!doctype html><title>A page</title>"],
  "/client.js": ["text/javascript", readFileSync(client)],
  "/photo.jpg": ["image/jpeg", readFileSync(photo)],
};
const server = createServer((request, response) => {
  const [type, content] = files[request.url] ?? ["text/plain", ""];
  response.writeHead(200, { "Content-Type": type }).end(content);
}).listen(0, "127.0.0.1");

async function scanned(baseUrl) {
  const { Eco2Client, shrunk } = await import("/client.js");
  const photo = await (await fetch("/photo.jpg")).blob();
  const smaller = new Uint8Array(await (await shrunk(photo)).arrayBuffer());
  const small = new Blob(["not a photo"], { type: "image/heic" });
  const client = new Eco2Client({ baseUrl, locale: "en" });
  await client.signInAsGuest();
  const states = [];
  for await (const { scan } of client.scan(photo, { locale: "en" })) states.push(scan.state);
  return { smaller: Array.from(smaller), untouched: (await shrunk(small)) === small, states };
}

await once(server, "listening");
const browser = await launched();
try {
  const tab = await browser.newPage();
  tab.on("console", (message) => console.error(message.text()));
  await tab.goto(`http://127.0.0.1:${server.address().port}`);
  console.log(JSON.stringify(await tab.evaluate(scanned, process.env.ECO2_REST_URL)));
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}
