// A walk through the users' page as people take it. What was seen on the way is returned for the test to judge.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };
const VIEWS = { scan: "#/", lookup: "#/lookup?q=tape", places: "#/places", history: "#/history", jobs: "#/jobs", characters: "#/characters", me: "#/me" };
const MILLISECONDS = 90_000; // of a machine that is busy with the whole suite

export async function walk(browser, orders) {
  const seen = { axe: {}, troubles: [] };
  const phone = await person(browser, seen, { locale: "ko-KR", viewport: PHONE, hasTouch: true });
  await phone.goto(orders.app);
  seen.language = await phone.evaluate(() => document.documentElement.lang);
  seen.shrunk = await shrunk(phone, orders.large);
  seen.card = await scannedByKeyboard(phone, orders);
  await judged(phone, seen, orders, "card-ko-light");
  seen.corrected = await corrected(phone, "건전지");
  seen.kept = await kept(phone, orders);
  seen.broken = await offlineAndCut(phone, orders);
  seen.jobs = await jobsDone(phone, orders);
  for (const [name, address] of Object.entries(VIEWS)) {
    await opened(phone, address);
    await judged(phone, seen, orders, `${name}-ko-light`);
  }
  seen.lookup = await lookedUp(phone);
  seen.languages = await switched(phone);
  seen.signedIn = await signedIn(phone, orders);
  await phone.context().close();

  const desk = await person(browser, seen, { locale: "en-GB", viewport: DESK, colorScheme: "dark", reducedMotion: "reduce" });
  await desk.goto(orders.app);
  seen.english = await desk.evaluate(() => document.documentElement.lang);
  await desk.fill("#region", "서울특별시/마포구");
  await desk.press("#region", "Tab");
  await desk.click("text=Try it with an example");
  await desk.click("text=Find out");
  await desk.waitForSelector("article.card", { timeout: MILLISECONDS });
  await judged(desk, seen, orders, "card-en-dark");
  seen.calendar = await subscribed(desk);
  seen.objects = await pointedOut(desk);
  await judged(desk, seen, orders, "objects-en-dark");
  for (const [name, address] of Object.entries(VIEWS)) {
    await opened(desk, address);
    await judged(desk, seen, orders, `${name}-en-dark`);
  }
  seen.deleted = await deleted(desk);
  await desk.context().close();
  return seen;
}

// A tab of somebody new; what goes wrong in it is noted.
async function person(browser, seen, options) {
  const context = await browser.newContext({ geolocation: { latitude: 37.5636, longitude: 126.9084 }, permissions: ["geolocation", "clipboard-read", "clipboard-write"], ...options });
  const tab = await context.newPage();
  tab.setDefaultTimeout(MILLISECONDS);
  tab.on("pageerror", (error) => seen.troubles.push(String(error)));
  tab.on("console", (message) => /Content Security Policy|no text /.test(message.text()) && seen.troubles.push(message.text()));
  tab.on("dialog", (dialog) => dialog.accept());
  return tab;
}

async function opened(tab, address) {
  await tab.evaluate((hash) => (location.hash = hash), address);
  await tab.waitForFunction((hash) => location.hash === hash && !document.querySelector("main").hasAttribute("aria-busy"), address);
}

async function judged(tab, seen, { screenshots }, name) {
  await tab.evaluate(AXE);
  const { violations } = await tab.evaluate(() => axe.run(document));
  seen.axe[name] = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  await tab.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true, animations: "disabled" });
}

// What the page makes of a large photo that lies on its side: a small one, upright, without a word of metadata.
async function shrunk(tab, large) {
  const bytes = readFileSync(large).toString("base64");
  return tab.evaluate(async (encoded) => {
    const { prepared } = await import("/app/photo.js");
    const file = new File([Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))], "large.jpg", { type: "image/jpeg" });
    const { blob, type } = await prepared(file);
    const { width, height } = await createImageBitmap(blob);
    const head = new TextDecoder("latin1").decode(await blob.slice(0, 4096).arrayBuffer());
    return { type, width, height, metadata: head.includes("Exif"), smaller: blob.size < file.size };
  }, bytes);
}

// From the first Tab to the card without a pointer.
async function scannedByKeyboard(tab, { photo }) {
  await tab.waitForSelector(".finder");
  // Asked for before the way there: a busy browser is told later than it takes the key that follows at once.
  const chooser = tab.waitForEvent("filechooser");
  await tabbedTo(tab, "사진 고르기");
  await tab.keyboard.press("Enter");
  await (await chooser).setFiles(photo);
  await tab.waitForFunction(() => document.activeElement.textContent === "알아보기");
  await tab.keyboard.press("Enter");
  await tab.waitForSelector("article.card");
  await tab.waitForFunction(() => !document.querySelector("[aria-busy]"));
  const focused = await tab.evaluate(() => document.activeElement === document.querySelector("h1"));
  await tab.waitForSelector(".reward"); // may come later than the answer
  const card = await tab.evaluate(() => ({
    title: document.querySelector("h1").textContent,
    steps: document.querySelectorAll(".steps li").length,
    ticket: [...document.querySelectorAll(".ticket dt")].map((each) => each.textContent),
    source: document.querySelector(".source p")?.textContent,
    character: document.querySelector(".reward h2")?.textContent,
  }));
  return { ...card, focused };
}

async function tabbedTo(tab, text) {
  for (let presses = 0; presses < 40; presses += 1) {
    await tab.keyboard.press("Tab");
    if ((await tab.evaluate(() => document.activeElement.textContent.trim())) === text) return;
  }
  throw new Error(`no Tab leads to ${text}`);
}

// What the first try answers is lost, so it is sent again; what it earned is never told. It is one reply all the same.
async function corrected(tab, reply) {
  const sent = [];
  await tab.route(/:answer$/, async (route) => {
    sent.push(route.request().postDataJSON().request_id);
    const response = await route.fetch();
    await route.fulfill(sent.length === 1 ? { status: 500, json: {} } : { response });
  });
  await tab.route(/after_version=/, (route) => route.fulfill({ status: 500, json: {} }));
  await tab.click(".correction summary");
  await tab.fill("#correction", reply);
  await tab.press("#correction", "Enter");
  await tab.click(".said [role=alert] button");
  await tab.waitForFunction(() => document.querySelector(".said > p") && !document.querySelector("[aria-busy]"));
  await tab.unrouteAll();
  const seen = await tab.evaluate(() => ({ title: document.querySelector("h1").textContent, hazards: document.querySelectorAll(".danger-box p").length }));
  return { ...seen, tries: sent.length, replies: new Set(sent).size };
}

// The upload fails, and the tab is closed and opened again.
async function kept(tab, { photo }) {
  const uploads = (address) => address.pathname.includes("/uploads/");
  await opened(tab, "#/");
  await tab.route(uploads, (route) => route.abort());
  await tab.setInputFiles("input[type=file]:not([capture])", photo);
  await tab.fill("#question", "어떻게 버려요?");
  await tab.click("text=알아보기");
  await tab.waitForSelector("[role=alert]");
  const told = await tab.textContent("[role=alert] p");
  await tab.reload();
  await tab.waitForSelector(".shot:not([hidden])");
  const found = { told, notice: await tab.textContent("[role=alert] p"), question: await tab.inputValue("#question") };
  await tab.unroute(uploads);
  await tab.click("[role=alert] .quiet");
  return { ...found, after: await tab.locator("[role=alert]").count() };
}

// The network goes away with a photo chosen, and comes back; then the first watch is cut.
async function offlineAndCut(tab, { photo }) {
  await opened(tab, "#/");
  await tab.setInputFiles("input[type=file]:not([capture])", photo);
  await tab.waitForSelector(".shot:not([hidden])");
  await tab.context().setOffline(true);
  await tab.click("text=알아보기");
  await tab.waitForSelector("[role=alert]");
  const told = await tab.evaluate(() => ({
    banner: document.getElementById("connection").textContent,
    alert: document.querySelector("[role=alert] p").textContent,
    photo: !document.querySelector(".shot").hidden,
  }));
  // However quick the scan is, the page finds it running, so it watches.
  const asked = /\/v1\/scans\/[0-9a-f-]{36}$/;
  await tab.route(asked, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), state: "STATE_RUNNING" } });
  });
  let watches = 0;
  await tab.route(/:watch$/, (route) => ((watches += 1) === 1 ? route.abort() : route.continue()));
  await tab.context().setOffline(false);
  await tab.waitForSelector("article.card");
  await tab.unrouteAll();
  return { ...told, watches, bannerAfter: await tab.textContent("#connection") };
}

// What takes longer than a moment: the history by keyboard, a zip whose first upload fails, a clip, files of no use, and one
// that is stopped and deleted.
async function jobsDone(tab, { zip, clip, photo, sheet }) {
  await opened(tab, "#/jobs");
  await tabbedTo(tab, "내 기록 내보내기");
  await tab.keyboard.press("Enter");
  const history = { state: await jobEnded(tab, 1), file: await downloaded(tab) };

  await tab.route("**/*", (route) => (route.request().method() === "PUT" ? route.abort() : route.fallback()));
  await fileChosen(tab, "표나 zip 고르기", zip);
  await tab.waitForSelector(".job [role=alert]");
  const cut = await tab.textContent(".job [role=alert] p");
  await tab.unrouteAll();
  await tab.click(".job [role=alert] button");
  const batch = { cut, state: await jobEnded(tab, 2), said: await tab.textContent(".job .hint >> nth=1"), file: await downloaded(tab) };

  await fileChosen(tab, "표나 zip 고르기", photo);
  const refused = await tab.textContent(".part [role=alert]");
  await fileChosen(tab, "표나 zip 고르기", sheet);
  const useless = { state: await jobEnded(tab, 3), said: await tab.textContent(".job .strong") };
  await tab.route("**/*", (route) => (route.request().method() === "PUT" ? null : route.fallback())); // never answered
  await fileChosen(tab, "표나 zip 고르기", zip);
  await tab.waitForFunction(() => document.querySelectorAll(".job").length === 4);
  await tab.click(".job >> nth=0 >> text=그만두기");
  const stopped = { state: await jobEnded(tab, 4) };
  await tab.unrouteAll({ behavior: "ignoreErrors" });
  await tab.click(".job >> nth=0 >> text=삭제");
  await tab.waitForFunction(() => document.querySelectorAll(".job").length === 3);

  await fileChosen(tab, "동영상 고르기", clip);
  const state = await jobEnded(tab, 4);
  await tab.click(".job >> nth=0 >> text=스캔 보기");
  await tab.waitForSelector("article.card, .card [role=alert]");
  return { history, batch, refused, useless, stopped, clip: { state, address: await tab.evaluate(() => location.hash) } };
}

// How the newest of so many jobs has ended.
async function jobEnded(tab, count) {
  const newest = await tab.waitForFunction((wanted) => {
    const all = document.querySelectorAll(".job");
    return all.length === wanted && /SUCCEEDED|FAILED|CANCELLED/.test(all[0].dataset.state) && all[0].dataset.state;
  }, count);
  return newest.jsonValue();
}

async function fileChosen(tab, text, file) {
  const chooser = tab.waitForEvent("filechooser");
  await tab.click(`text=${text}`);
  await (await chooser).setFiles(file);
}

// The newest job's file: the end of its name, and how it begins.
async function downloaded(tab) {
  const coming = tab.waitForEvent("download");
  await tab.click(".job >> nth=0 >> text=내려받기");
  const file = await coming;
  return { ending: file.suggestedFilename().split(".").pop(), begins: readFileSync(await file.path()).subarray(0, 2).toString() };
}

async function lookedUp(tab) {
  await opened(tab, "#/lookup");
  await tab.fill("#q", "우유갑을");
  await tab.waitForSelector(".result");
  const first = await tab.textContent(".result strong");
  await tab.click(".result");
  await tab.waitForSelector(".answer .ticket");
  return { first, focused: await tab.evaluate(() => document.activeElement.textContent) };
}

async function switched(tab) {
  await tab.click(".switch");
  await tab.waitForFunction(() => document.documentElement.lang === "en");
  await tab.reload();
  const kept = await tab.evaluate(() => document.documentElement.lang);
  return { kept, nav: await tab.textContent("nav a") };
}

// A guest with scans signs in with the provider and finds them again.
async function signedIn(tab, { newcomer }) {
  await opened(tab, "#/me");
  const guest = await tab.textContent(".me .part h2");
  await tab.click(".me .part .main");
  await tab.fill("input[name=login]", newcomer);
  await tab.click("button");
  await tab.waitForSelector("text=Sign out");
  const hello = await tab.textContent(".me .part h2");
  const address = await tab.evaluate(() => location.pathname + location.search);
  await opened(tab, "#/history");
  await tab.waitForSelector(".tile");
  return { guest, hello, address, scans: await tab.locator(".tile").count() };
}

// A scan of several things: where its boxes lie over the photo, and that list and boxes lead to each other. The things
// are written into the reply of the API, since the offline model sees one.
async function pointedOut(tab) {
  const before = await place(tab, ".frame img");
  const category = (middle) => ({ major: "재활용폐기물", middle });
  const rule = (id, container, take_apart = []) => ({ object_id: id, container, steps: ["Rinse it."], source: "a guide", take_apart });
  const objects = [
    { object_id: "1", display_name: "Metal can", category: category("금속류"), box: { right: 0.5, bottom: 1 } },
    { object_id: "2", display_name: "Jam jar", category: category("유리병"), box: { left: 0.5, top: 0.25, right: 1, bottom: 1 } },
    { object_id: "3", display_name: "Unplaced thing", category: category("종이") },
  ];
  const lid = { part: "Lid", how: "Unscrew it.", container: "the can bin", category: category("금속류") };
  await tab.route(/\/v1\/scans\/[0-9a-f-]{36}$/, async (route) => {
    const response = await route.fetch();
    const scan = await response.json();
    scan.classification = { ...scan.classification, category: category("금속류"), objects };
    scan.object_rules = [rule("1", "the can bin"), rule("2", "the glass bin", [lid]), rule("3", "the paper bin")];
    await route.fulfill({ response, json: scan });
  });
  await tab.reload();
  await tab.waitForFunction(() => document.querySelectorAll(".boxes g").length === 2 && document.querySelector(".things"));
  const after = await place(tab, ".frame img");
  const photo = await shown(tab);
  const jar = await place(tab, '.boxes [data-object="2"] rect:not(.halo)');
  await tab.focus('.things [data-object="2"] summary');
  const byKeyboard = await tab.getAttribute('.boxes [data-object="2"]', "class");
  await tab.keyboard.press("Enter");
  const apart = await tab.textContent('.things [data-object="2"] .apart');
  await tab.click('.boxes [data-object="1"] circle');
  return {
    moved: [after.x - before.x, after.y - before.y, after.width - before.width],
    jar: [(jar.x - photo.x) / photo.width, (jar.y - photo.y) / photo.height, jar.width / photo.width, jar.height / photo.height],
    listed: await tab.locator(".things summary").allTextContents(),
    byKeyboard,
    apart,
    byPointer: await tab.evaluate(() => document.activeElement.closest("[data-object]").dataset.object),
    chosen: await tab.locator(".chosen").evaluateAll((all) => all.map((each) => each.dataset.object)),
    numbers: await tab.locator(".boxes text").allTextContents(),
  };
}

// Where something is on the page, wherever that is scrolled to.
async function place(tab, selector) {
  return tab.locator(selector).first().evaluate((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x, y: y + scrollY, width, height };
  });
}

// Where the photo itself is within its picture, which it needn't fill.
async function shown(tab) {
  return tab.locator(".frame img").first().evaluate((picture) => {
    const { x, y, width, height } = picture.getBoundingClientRect();
    const scale = Math.min(width / picture.naturalWidth, height / picture.naturalHeight);
    const [w, h] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
    return { x: x + (width - w) / 2, y: y + scrollY + (height - h) / 2, width: w, height: h };
  });
}

// On the card of a scan whose evening is known: the calendar's address by keyboard, copied, and ended.
async function subscribed(tab) {
  await tab.focus(".remind summary");
  await tab.keyboard.press("Enter");
  await tabbedTo(tab, "Get an address");
  await tab.keyboard.press("Enter");
  await tab.waitForFunction(() => document.activeElement.id === "calendar");
  const address = await tab.inputValue("#calendar");
  await tab.click("text=Copy");
  await tab.waitForSelector("text=The address is copied.");
  const copied = await tab.evaluate(() => navigator.clipboard.readText());
  const read = () => tab.evaluate(async (from) => {
    const response = await fetch(from);
    return [response.status, (await response.text()).split("\r\n")[0]];
  }, address);
  const before = await read();
  await tab.click("text=End the address");
  await tab.waitForSelector("text=The address doesn't work any more.");
  return { isCopied: copied === address, before, after: (await read())[0], isGone: (await tab.locator("#calendar").count()) === 0 };
}

async function deleted(tab) {
  await opened(tab, "#/history");
  await tab.click(".remove");
  await tab.waitForSelector(".empty:not([hidden])");
  return tab.textContent(".empty");
}
