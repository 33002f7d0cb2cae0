// Opens pages in headless Chromium, without a window: `node browse.mjs PAGE OTHER LOGIN`.
//
// PAGE signs somebody in: on the provider's page LOGIN is typed, and the browser comes back. Then OTHER is opened, which
// only tries. Each page's `window.outcome` is printed as one line of JSON. The browser is npm's, unpacked beside this
// file once; where the system lacks a library of it, the one that comes along is used.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import packed, { inflate } from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const [page, other, login] = process.argv.slice(2);

const here = dirname(fileURLToPath(import.meta.url));
const unpacked = join(here, "unpacked");

// The package unpacks into the folder for temporary files, and takes what is there for whole.
async function unpack() {
  if (existsSync(unpacked)) return;
  const usual = process.env.TMPDIR;
  const draft = mkdtempSync(`${unpacked}-`);
  process.env.TMPDIR = draft;
  packed.setGraphicsMode = false;
  await packed.executablePath();
  await inflate(join(here, "node_modules/@sparticuz/chromium/bin/al2023.tar.br"));
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
  renameSync(draft, unpacked);
}

function environment(program) {
  const whole = !execFileSync("ldd", [program], { encoding: "utf8" }).includes("not found");
  return whole ? process.env : { ...process.env, LD_LIBRARY_PATH: join(unpacked, "al2023/lib") };
}

async function outcome(tab) {
  await tab.waitForFunction(() => window.outcome !== undefined, undefined, { timeout: 60_000 });
  console.log(JSON.stringify(await tab.evaluate(() => window.outcome)));
}

await unpack();
const executablePath = join(unpacked, "chromium");
// Not the package's own arguments: they turn off what keeps one origin from another. As root there is no sandbox.
const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args, env: environment(executablePath) });
try {
  const tab = await browser.newPage();
  tab.on("console", (message) => console.error(message.text()));
  await tab.goto(page);
  await tab.fill("input[name=login]", login);
  await tab.click("button");
  await outcome(tab);
  await tab.goto(other);
  await outcome(tab);
} finally {
  await browser.close();
}
