// The operators' page: which view is shown, when it is asked for again, and what became of what somebody did.
//
// A view has a `load` that asks for its data and a `show` that makes elements of them; `filters`, if there are any, are
// drawn once, so that nobody's typing is lost when the data come again.

import { Refused, session } from "./api.js";
import { button, field, h, link } from "./dom.js";
import { letters } from "./letters.js";
import { money } from "./money.js";
import { queue } from "./queue.js";
import { scans, slowest } from "./scans.js";
import { timeline } from "./timeline.js";
import { language, setLanguage, t } from "./words.js";
import { webhooks } from "./webhooks.js";

const TABS = { queue, scans, letters, webhooks, money, slowest };
const VIEWS = { ...TABS, scan: timeline };
const PERIOD = 3000;

const content = document.getElementById("content");
const status = document.getElementById("status");
const trouble = document.getElementById("trouble");

let live = true;
let timer = 0;
let loading = new AbortController();
let view = queue;
let params = new URLSearchParams();
let drawn = "";
let results = h("div");

function address() {
  const [, name = "", query = ""] = location.hash.match(/^#\/([a-z]*)\??(.*)$/) ?? [];
  return { name: Object.hasOwn(VIEWS, name) ? name : "queue", query };
}

function go(name, query) {
  const text = new URLSearchParams([...query].filter(([, value]) => value)).toString();
  location.hash = `#/${name}${text ? `?${text}` : ""}`;
}

function open() {
  const { name, query } = address();
  view = VIEWS[name];
  params = new URLSearchParams(query);
  drawn = "";
  trouble.textContent = "";
  results = h("div", { id: "results", "aria-busy": "true" }, h("p", { class: "empty" }, t("loading")));
  const filters = view.filters?.(params, (form) => go(name, new FormData(form)));
  content.replaceChildren(h("h1", {}, t(view.title)), ...(filters ? [filters] : []), results);
  document.title = `${t(view.title)} · Eco²`;
  frame(name);
  refresh();
}

function frame(name) {
  document.documentElement.lang = language();
  document.querySelector(".skip").textContent = t("skip");
  const tabs = Object.keys(TABS).map((tab) =>
    link(t(TABS[tab].title), `#/${tab}`, { "aria-current": tab === name ? "page" : null }));
  document.querySelector("nav").setAttribute("aria-label", t("views"));
  document.querySelector("nav").replaceChildren(...(session.token ? tabs : []));
  const other = language() === "ko" ? "en" : "ko";
  const tools = [h("button", { type: "button", class: "quiet", lang: other, onclick: () => translate(other) }, t("otherLanguage"))];
  if (session.token) {
    tools.unshift(h("button", { type: "button", class: "live", "aria-pressed": String(live), onclick: toggle }, t("live")));
    tools.push(button(t("signOut"), "sign out", signOut));
  }
  document.querySelector(".tools").replaceChildren(...tools);
}

function translate(to) {
  setLanguage(to);
  start();
}

function toggle(event) {
  live = !live;
  event.currentTarget.setAttribute("aria-pressed", String(live));
  status.textContent = t(live ? "isLive" : "isPaused");
  if (live) refresh();
  else clearTimeout(timer);
}

async function refresh() {
  clearTimeout(timer);
  loading.abort();
  const { signal } = (loading = new AbortController());
  try {
    const data = await view.load(params, signal);
    if (signal.aborted) return; // they are another view's
    draw(data);
    trouble.textContent = "";
  } catch (error) {
    if (signal.aborted) return;
    tell(error);
  }
  if (live && session.token) timer = setTimeout(() => (document.hidden ? again() : refresh()), PERIOD);
}

function again() {
  timer = setTimeout(() => (document.hidden ? again() : refresh()), PERIOD);
}

// Only what has changed is drawn, and who is at one of its elements stays there.
function draw(data) {
  const text = JSON.stringify(data);
  results.removeAttribute("aria-busy");
  if ((text === drawn && !view.moves) || results.querySelector("dialog[open]")) return;
  drawn = text;
  const key = results.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const at = [...results.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  results.replaceChildren(...[view.show(data, params, act)].flat(Infinity).filter(Boolean));
  results.querySelectorAll(".scroll").forEach((one, number) => (one.scrollLeft = at[number] ?? 0));
  if (key) [...results.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus();
}

// Does what a button says, tells what became of it, and shows the data as they are then.
async function act(pressed, work, told) {
  pressed.disabled = true;
  try {
    status.textContent = told(await work());
  } catch (error) {
    tell(error);
  }
  pressed.disabled = false;
  await refresh();
}

function tell(error) {
  if (error instanceof Refused && ["UNAUTHENTICATED", "OPERATORS_ONLY"].includes(error.reason)) {
    session.end();
    start();
  }
  trouble.textContent = error instanceof Refused ? error.message || t("unknownTrouble") : t("offline");
}

function signOut() {
  session.end();
  status.textContent = "";
  start();
}

function signIn() {
  clearTimeout(timer);
  loading.abort();
  const begin = (event) => {
    event.preventDefault();
    session.begin(new FormData(event.target).get("token"));
    start();
  };
  const form = h("form", { class: "sign-in", onsubmit: begin },
    field("token", t("token"), "", { type: "password", required: true, "aria-describedby": "whence" }),
    h("button", { type: "submit", class: "main" }, t("signIn")));
  const whence = t("whence").split("`").map((part, number) => (number % 2 ? h("code", {}, part) : part));
  content.replaceChildren(h("h1", {}, t("signInTitle")), h("p", { id: "whence" }, whence), form);
  document.title = `${t("signInTitle")} · Eco²`;
  frame("");
}

function start() {
  trouble.textContent = "";
  if (session.token) open();
  else signIn();
}

session.takeFromLink();
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # is the view's
  content.focus();
});
addEventListener("hashchange", () => {
  session.takeFromLink();
  status.textContent = "";
  start();
  content.focus({ preventScroll: true });
});
start();
