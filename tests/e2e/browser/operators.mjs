// A walk through the operators' page: `node operators.mjs ORDERS`, a JSON object with `url`, `token`, `failed` (a dead
// letter), `user`, and `screenshots`. What was seen on the way is printed as one line of JSON for the test to judge.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { launched } from "./chromium.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SECONDS = 30_000;
const orders = JSON.parse(process.argv[2]);
const VIEWS = {
  queue: "#/queue",
  scans: `#/scans?user=${orders.user}`,
  scan: `#/scan?id=${orders.failed}`,
  letters: "#/letters?state=STATE_ARCHIVED",
  webhooks: "#/webhooks",
  money: "#/money",
  slowest: "#/slowest",
};
const seen = { axe: {}, troubles: [] };

async function person(browser, options) {
  const tab = await (await browser.newContext(options)).newPage();
  tab.setDefaultTimeout(SECONDS);
  tab.on("pageerror", (error) => seen.troubles.push(String(error)));
  tab.on("console", (message) => message.text().includes("Content Security Policy") && seen.troubles.push(message.text()));
  return tab;
}

async function opened(tab, address) {
  await tab.evaluate((hash) => (location.hash = hash), address);
  await tab.waitForFunction((hash) => location.hash === hash && document.querySelector("#results:not([aria-busy])"), address);
}

async function judged(tab, name) {
  await tab.evaluate(AXE);
  const { violations } = await tab.evaluate(() => axe.run(document));
  seen.axe[name] = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  await tab.screenshot({ path: join(orders.screenshots, `operators-${name}.png`), fullPage: true, animations: "disabled" });
}

// Whoever has no token, or one of a user, is asked for one; the link with a token opens the page and forgets it.
async function signedIn(tab) {
  await tab.goto(orders.url);
  await judged(tab, "sign-in-en");
  await tab.fill("input[name=token]", orders.usersToken);
  await tab.keyboard.press("Enter");
  await tab.waitForFunction(() => document.querySelector("#trouble").textContent);
  seen.refused = await tab.textContent("#trouble");
  await tab.goto(`${orders.url}/#token=${orders.token}`);
  await tab.waitForSelector("#results table");
  seen.address = await tab.evaluate(() => location.href);
  await tab.reload();
  await tab.waitForSelector("#results table");
}

const ids = (tab) => tab.$$eval("tbody th a", (links) => links.map((link) => link.textContent));

// By keyboard alone: the next page of ten thousand, and back.
async function paged(tab) {
  await opened(tab, VIEWS.scans);
  seen.first = await ids(tab);
  await tab.focus(".paging a");
  await tab.keyboard.press("Enter");
  await tab.waitForFunction((first) => document.querySelector("tbody th a") && document.querySelector("tbody th a").textContent !== first, seen.first[0]);
  seen.second = await ids(tab);
  await tab.goBack();
  await tab.waitForFunction((first) => document.querySelector("tbody th a")?.textContent === first, seen.first[0]);
}

// Updates are paused, so that nothing moves under whoever judges it.
async function paused(tab) {
  await tab.focus(".live");
  await tab.keyboard.press("Enter");
  return tab.getAttribute(".live", "aria-pressed");
}

// While they go on, what is new appears by itself.
async function live(tab) {
  await opened(tab, `#/scans?user=${orders.lateUser}`);
  seen.none = (await ids(tab)).length;
  await tab.focus(".live");
  await tab.keyboard.press("Enter");
  console.log("ready for a scan");
  await tab.waitForSelector("tbody th a");
  seen.late = await ids(tab);
}

// What happened to the dead letter is told in order, and so is that somebody goes on with it.
async function replayed(tab) {
  await opened(tab, VIEWS.scan);
  seen.events = await tab.$$eval('[data-key="table Events"] tbody tr', (rows) => rows.map(({ cells }) => [...cells].map((cell) => cell.textContent)));
  await tab.focus(`[data-key="replay ${orders.failed}"]`);
  await tab.keyboard.press("Enter");
  await tab.waitForFunction(() => document.querySelector("#status").textContent);
  seen.replayed = await tab.textContent("#status");
  await tab.waitForFunction(() => [...document.querySelectorAll('[data-key="table Events"] code')].some((type) => type.textContent === "eco2.scan.replayed"));
}

const browser = await launched();
try {
  const desk = await person(browser, { locale: "en-GB", viewport: { width: 1280, height: 800 } });
  await signedIn(desk);
  seen.paused = await paused(desk);
  for (const [name, address] of Object.entries(VIEWS)) {
    await opened(desk, address);
    await judged(desk, `${name}-en-light`);
  }
  await paged(desk);
  await live(desk);

  const phone = await person(browser, { locale: "ko-KR", viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await phone.goto(`${orders.url}/#token=${orders.token}`);
  await phone.waitForSelector("#results table");
  await paused(phone);
  seen.language = await phone.evaluate(() => document.documentElement.lang);
  for (const [name, address] of Object.entries(VIEWS)) {
    await opened(phone, address);
    await judged(phone, `${name}-ko-dark`);
  }
  await replayed(desk);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
