// The page: a frame with the ways through it, and one view at a time, by the address's fragment.

import { charactersView } from "./characters-view.js";
import { announce, focusOn, h } from "./dom.js";
import { historyView } from "./history-view.js";
import { icon } from "./icons.js";
import { jobsView } from "./jobs-view.js";
import { LANGUAGES, language, speak, t } from "./language.js";
import { scanDetail } from "./live-view.js";
import { lookupView } from "./lookup-view.js";
import { meView } from "./me-view.js";
import { placesView } from "./places-view.js";
import { scanView } from "./scan-view.js";
import { onSession } from "./session.js";
import { complete } from "./sign-in.js";
import { notice, told } from "./troubles.js";

const VIEWS = { "": scanView, scan: scanDetail, lookup: lookupView, places: placesView, history: historyView, characters: charactersView, jobs: jobsView, me: meView };
const WAYS = { scan: "#/", lookup: "#/lookup", places: "#/places", history: "#/history", characters: "#/characters" };

const main = document.querySelector("main");
let current = new AbortController();

function go(address) {
  if (location.hash === address) show();
  else location.hash = address;
}

// Shows what the address names. Whatever the view before still did is given up.
async function show({ isFirst = false } = {}) {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const [route, parameters] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...path] = route.split("/");
  const view = Object.hasOwn(VIEWS, name) && (name !== "scan" || path[0]) ? VIEWS[name] : scanView;
  marked(name);
  main.setAttribute("aria-busy", "true");
  let element;
  try {
    element = await view({ path, query: new URLSearchParams(parameters), signal, go, speakIn });
  } catch (error) {
    if (signal.aborted) return;
    element = h("div", {}, h("h1", {}, t("trouble.title")), notice(told(error), [[t("again"), () => show()]]));
  }
  if (signal.aborted) return;
  main.removeAttribute("aria-busy");
  main.replaceChildren(element);
  const heading = main.querySelector("h1");
  document.title = heading ? `${heading.textContent} · Eco²` : "Eco²";
  if (isFirst) return;
  scrollTo(0, 0);
  focusOn(heading ?? main);
}

function marked(name) {
  for (const link of document.querySelectorAll("nav a, .who")) {
    const isHere = link.dataset.way === (name || "scan");
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function frame() {
  document.documentElement.lang = language();
  const links = Object.entries(WAYS).map(([way, href]) => h("li", {}, h("a", { href, "data-way": way }, icon(way), h("span", {}, t(`nav.${way}`)))));
  const other = Object.keys(LANGUAGES).find((code) => code !== language());
  document.querySelector(".skip").textContent = t("skip");
  document.querySelector("nav").setAttribute("aria-label", t("nav.label"));
  document.querySelector("nav").replaceChildren(h("ul", {}, links));
  document.querySelector(".tools").replaceChildren(
    h("button", { type: "button", class: "switch", lang: other, onclick: () => speakIn(other) }, LANGUAGES[other]),
    ...["jobs", "me"].map((way) => h("a", { class: "who", href: `#/${way}`, title: t(`nav.${way}`), "data-way": way }, icon(way), h("span", {}, t(`nav.${way}`)))),
  );
  connection();
}

function speakIn(code) {
  speak(code);
  frame();
  show();
}

function connection() {
  const banner = document.getElementById("connection");
  banner.textContent = navigator.onLine ? "" : t("trouble.offline");
}

async function begin() {
  frame();
  addEventListener("hashchange", () => show());
  addEventListener("online", connection);
  addEventListener("offline", connection);
  onSession((what) => what === "ended" && announce(t("me.ended")));
  if (location.pathname !== "/callback") return show({ isFirst: true });
  const query = new URLSearchParams(location.search);
  history.replaceState(null, "", "/#/me"); // the code is gone from the address before anything else happens
  try {
    await complete(query);
    await show();
  } catch (error) {
    await show();
    main.prepend(notice(told(error)));
  }
}

begin();
