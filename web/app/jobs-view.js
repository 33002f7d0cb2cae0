// What takes longer than a moment: one's history as a spreadsheet, many photos by a sheet or a zip, a clip; and how far
// each has come.

import { call } from "./api.js";
import { button, focusOn, h } from "./dom.js";
import { accepted, mediaType } from "./job-file.js";
import { jobItem } from "./job-item.js";
import { language, t } from "./language.js";
import { begun } from "./outgoing.js";
import { uuid } from "./storage.js";
import { attempt, notice, told } from "./troubles.js";
import { known, whereField } from "./where.js";

const PAGE = 20;

export async function jobsView({ signal }) {
  const list = jobList(signal);
  await list.next();
  return h("div", { class: "jobs" }, h("h1", {}, t("jobs.title")), history(list), files(list), list.element);
}

function history(list) {
  const trouble = h("div");
  const pictures = h("input", { type: "checkbox", id: "thumbnails" });
  const exported = attempt(trouble, async () => {
    const spec = { thumbnails: pictures.checked, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
    const { job } = await call("POST", "/v1/jobs", { body: { export: spec, locale: language(), request_id: uuid() } });
    list.add(job);
  });
  return h(
    "section",
    { class: "part" },
    h("h2", {}, t("jobs.history")),
    h("p", {}, t("jobs.historyMeans")),
    h("div", { class: "check" }, pictures, h("label", { for: "thumbnails" }, t("jobs.thumbnails"))),
    h("div", { class: "row" }, button("main", t("jobs.export"), exported)),
    trouble,
  );
}

function files(list) {
  const trouble = h("div");
  const choose = (kind) => {
    const field = h("input", { type: "file", accept: accepted(kind), hidden: true, "aria-hidden": "true", tabindex: -1, "data-kind": kind });
    field.onchange = attempt(trouble, async () => {
      const [file] = field.files;
      if (!file) return;
      const { location, building, region } = known();
      const spec = kind === "batch" ? { region, building } : { region, location };
      try {
        list.add(await begun({ [kind]: spec }, file, mediaType(file, kind)));
      } finally {
        field.value = ""; // or the same file couldn't be chosen again
      }
    });
    return [button("quiet", t(`jobs.${kind}`), () => field.click()), field];
  };
  return h(
    "section",
    { class: "part" },
    h("h2", {}, t("jobs.files")),
    h("p", {}, t("jobs.filesMean")),
    whereField(),
    h("div", { class: "row" }, choose("batch"), choose("video")),
    h("p", { class: "hint" }, t("jobs.formats")),
    trouble,
  );
}

// The caller's jobs, newest first, as {element, add, next}.
function jobList(signal) {
  const items = h("ul", { class: "job-list" });
  const title = h("h2", {}, t("jobs.all"));
  const trouble = h("div");
  const empty = h("p", { class: "empty" }, t("jobs.empty"));
  const more = button("quiet wide", t("history.more"), () => next());
  let token = "";
  const counted = () => (empty.hidden = items.childElementCount > 0);
  const item = (job) => jobItem(job, { signal, onGone: () => (counted(), focusOn(title)) });
  const next = async () => {
    more.disabled = true;
    trouble.replaceChildren();
    try {
      const query = new URLSearchParams({ page_size: PAGE, ...(token ? { page_token: token } : {}) });
      const { jobs = [], next_page_token: following = "" } = await call("GET", `/v1/jobs?${query}`, { signal });
      items.append(...jobs.map(item));
      token = following;
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(notice(told(error), [[t("again"), next]]));
    } finally {
      more.disabled = false;
      more.hidden = !token;
      counted();
    }
  };
  const add = (job) => {
    const one = item(job);
    items.prepend(one);
    counted();
    one.querySelector("h3").focus();
  };
  return { element: h("section", { class: "job-section" }, title, trouble, empty, items, more), add, next };
}
