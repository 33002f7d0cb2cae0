// Scans photo.jpg and says what to do with what it shows. @eco2/client is what `make clients` puts in var/dist.
import { readFile } from "node:fs/promises";
import { Eco2Client } from "@eco2/client";

const { ECO2_REST_URL, ECO2_TOKEN } = process.env; // `set -a; . var/stack.env`
const client = new Eco2Client({ baseUrl: ECO2_REST_URL, token: ECO2_TOKEN, locale: "en" });
for await (const { type, scan } of client.scan(await readFile("photo.jpg"), { locale: "en" })) {
  console.log(`${scan.progress?.percent ?? 0} %  ${scan.progress?.message}`);
  if (type === "terminal") console.log(scan.answer?.text);
}
