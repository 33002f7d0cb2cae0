// One's scans, newest first: what goes out this evening, pictures with names, a filter, deleting, the next page.

import { call, deleteScan } from "./api.js";
import { announce, button, h } from "./dom.js";
import { day, t } from "./language.js";
import { notice, told } from "./troubles.js";
import { where } from "./where.js";

const PAGE = 20;

export async function historyView({ signal }) {
  const grid = h("ul", { class: "grid" });
  const trouble = h("div");
  const empty = h("p", { class: "empty", hidden: true });
  const filter = h("input", { id: "filter", type: "search", autocomplete: "off", oninput: () => filtered() });
  const more = button("quiet wide", t("history.more"), () => next());
  let token = "";

  const filtered = () => {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const item of grid.children) {
      item.hidden = !item.dataset.text.includes(wanted);
      shown += item.hidden ? 0 : 1;
    }
    empty.hidden = shown > 0;
    empty.textContent = t(grid.children.length ? "history.noMatch" : "history.empty");
  };
  const next = async () => {
    more.disabled = true;
    trouble.replaceChildren();
    try {
      const query = new URLSearchParams({ page_size: PAGE, ...(token ? { page_token: token } : {}) });
      const { scans = [], next_page_token: following = "" } = await call("GET", `/v1/scans?${query}`, { signal });
      const items = scans.map((scan) => item(scan, trouble, filtered));
      grid.append(...items);
      if (token) items[0]?.querySelector("a").focus();
      token = following;
      more.hidden = !token;
      filtered();
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(notice(told(error), [[t("again"), next]]));
    } finally {
      more.disabled = false;
    }
  };
  await next();
  return h(
    "div",
    { class: "history" },
    h("h1", {}, t("history.title")),
    await evening(signal),
    h("div", { class: "field" }, h("label", { for: "filter" }, t("history.filter")), filter),
    trouble, grid, empty, more,
  );
}

function item(scan, trouble, filtered) {
  const name = scan.classification?.display_name ?? t(`state.${scan.state.replace("STATE_", "")}`);
  const when = day(scan.create_time, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
  const element = h("li", { class: "tile", "data-text": `${name} ${scan.user_input ?? ""} ${when}`.toLowerCase() });
  const remove = h("button", { type: "button", class: "remove", "aria-label": t("history.delete", { name }) }, "×");
  remove.onclick = async () => {
    if (!confirm(t("history.sure"))) return;
    trouble.replaceChildren();
    try {
      await deleteScan(scan.scan_id);
    } catch (error) {
      return trouble.replaceChildren(notice(told(error)));
    }
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    filtered();
    announce(t("history.deleted", { name }));
    neighbour?.querySelector("a").focus();
  };
  const link = h("a", { href: `#/scan/${scan.scan_id}` }, thumbnail(scan), h("strong", {}, name), h("span", { class: "hint" }, when));
  element.append(link, remove);
  return element;
}

function thumbnail({ image_url: address }) {
  const picture = h("img", { src: address, alt: "", loading: "lazy", decoding: "async", width: 240, height: 240 });
  picture.onerror = () => picture.classList.add("missing");
  return picture;
}

// What of the last two weeks goes out this evening; nothing if that is nothing, or can't be known.
async function evening(signal) {
  const { region, building } = where();
  const query = new URLSearchParams({ ...(region ? { region } : {}), ...(building ? { building } : {}) });
  const { tonight = [] } = await call("GET", `/v1/me/schedule?${query}`, { signal }).catch(() => ({}));
  if (!tonight.length) return null;
  return h(
    "section",
    { class: "tonight-box" },
    h("h2", {}, t("evening.title")),
    h("ul", { class: "plain" }, tonight.map(planned)),
  );
}

function planned({ scan_id: id, display_name: name, plan }) {
  const done = button("chip", t("evening.done"), async () => {
    done.disabled = true;
    await call("POST", `/v1/scans/${id}:putOut`, { body: {} }).then(() => line.remove(), () => (done.disabled = false));
  }, { "aria-label": `${name}: ${t("evening.done")}` });
  const line = h("li", {}, h("div", {}, h("a", { href: `#/scan/${id}` }, name), h("p", { class: "hint" }, plan.text)), done);
  return line;
}
