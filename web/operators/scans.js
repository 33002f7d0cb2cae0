// Scans by user, state and time, page by page; and those that took longest.

import { call } from "./api.js";
import { field, h, link, select, table } from "./dom.js";
import { badge, money, reason, span, time } from "./formats.js";
import { t } from "./words.js";

const STATES = ["AWAITING_UPLOAD", "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"];
const HOURS = { hour: 1, day: 24, week: 168 };

function moment(local) {
  return local ? new Date(local).toISOString() : undefined;
}

function rows(found) {
  return (found ?? []).map((scan) => [
    link(scan.scan_id, `#/scan?id=${scan.scan_id}`, { class: "id" }),
    badge(scan.state),
    [t(scan.stage ?? ""), reason(scan.reason) && h("span", { class: "reason" }, reason(scan.reason))],
    link(scan.user, `#/scans?like=${scan.scan_id}`, { class: "id", title: t("sameUser") }),
    time(scan.create_time),
    span(scan.duration),
    money(scan.cost_micro_usd),
  ]);
}

function columns() {
  const number = (name) => ({ text: t(name), number: true });
  return [t("scan"), t("state"), t("stage"), t("user"), t("created"), number("took"), number("cost")];
}

// Where the list goes on; and how far back was looked, since what is rare may be on no page for a while.
export function paging(name, params, reply) {
  const at = (token) => `#/${name}?${new URLSearchParams([...[...params].filter(([key]) => key !== "page"), ...(token ? [["page", token]] : [])])}`;
  const reached = reply.next_page_token && reply.reached_time;
  return h("nav", { class: "paging", "aria-label": t("pages") },
    params.get("page") && link(t("firstPage"), at("")),
    reached && h("span", {}, t("reached"), " ", time(reply.reached_time)),
    reply.next_page_token ? link(t("nextPage"), at(reply.next_page_token)) : h("span", {}, t("lastPage")));
}

export const scans = {
  title: "scans",
  filters(params, search) {
    const like = params.get("like");
    return h("form", { class: "filters", onsubmit: (event) => { event.preventDefault(); search(event.target); } },
      select("state", t("state"), [["", t("any")], ...STATES.map((name) => [`STATE_${name}`, t(name)])], params.get("state")),
      field("user", t("userId"), params.get("user"), { maxlength: 128 }),
      field("like", t("userOf"), like, { pattern: "[0-9a-fA-F-]{36}", size: 38 }),
      field("from", t("from"), params.get("from"), { type: "datetime-local" }),
      field("until", t("until"), params.get("until"), { type: "datetime-local" }),
      h("button", { type: "submit", class: "main" }, t("search")));
  },
  load(params, signal) {
    const user = params.get("like") ? { same_user_as: params.get("like") } : params.get("user") ? { user_id: params.get("user") } : {};
    return call("SearchScans", {
      ...user,
      state: params.get("state") || undefined,
      from_time: moment(params.get("from")),
      until_time: moment(params.get("until")),
      page_token: params.get("page") || undefined,
    }, signal);
  },
  show: (reply, params) => [table(t("scans"), columns(), rows(reply.scans), t("noScans")), paging("scans", params, reply)],
};

export const slowest = {
  title: "slowest",
  filters: (params, search) =>
    h("form", { class: "filters", onchange: (event) => search(event.currentTarget) },
      select("within", t("within"), Object.keys(HOURS).map((name) => [name, t(name)]), params.get("within") ?? "day")),
  load(params, signal) {
    const hours = HOURS[params.get("within")] ?? HOURS.day;
    return call("ListSlowestScans", { from_time: new Date(Date.now() - hours * 3600e3).toISOString() }, signal);
  },
  show: (reply) => [
    table(t("slowest"), columns(), rows(reply.scans), t("noScans")),
    reply.reached_time && h("p", { class: "note" }, t("reached"), " ", time(reply.reached_time)),
  ],
};
