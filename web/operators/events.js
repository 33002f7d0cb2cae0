// What happened to one scan, its webhooks, its reward and its replies, step by step, as the event log has it.

import { call } from "./api.js";
import { h, table } from "./dom.js";
import { count, time } from "./formats.js";
import { t } from "./words.js";

const PAGE = 500;

// All that is kept, oldest first.
export async function eventsOf(job_id, signal) {
  const all = [];
  let page_token = "";
  do {
    const reply = await call("ListEvents", { job_id, page_size: PAGE, page_token }, signal, "eco2.events.v1.EventsService");
    all.push(...(reply.events ?? []));
    page_token = reply.next_page_token;
  } while (page_token);
  return all;
}

// Types stay as they are: they are what consumers filter by.
function row({ time: at, kind, type, data = {} }) {
  return [
    time(at),
    kind,
    h("code", {}, type),
    t(data.stage ?? ""),
    data.attempt === undefined ? "–" : count(data.attempt),
    data.worker_id === undefined ? "–" : count(data.worker_id),
    [data.reason && h("span", { class: "reason" }, data.reason), data.next_time && [" ", t("nextTry"), " ", time(data.next_time)]],
  ];
}

export function eventTable(all) {
  const number = (name) => ({ text: t(name), number: true });
  const columns = [t("time"), t("kind"), t("event"), t("stage"), number("attempt"), number("worker"), t("reason")];
  return table(t("events"), columns, all.map(row), t("noEvents"));
}
