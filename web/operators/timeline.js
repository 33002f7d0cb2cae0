// One scan's life: each try of each stage with its time, worker, error and cost; its dead letter; its webhooks; and all
// of it in the order of events.

import { call, traceUrl } from "./api.js";
import { h, link, table } from "./dom.js";
import { eventsOf, eventTable } from "./events.js";
import { badge, count, failure, money, reason, seconds, span, time } from "./formats.js";
import { actions } from "./letters.js";
import { rows as webhookRows, columns as webhookColumns } from "./webhooks.js";
import { t } from "./words.js";

function facts(scan, trace) {
  const all = [
    ["state", badge(scan.state)],
    ["user", link(scan.user, `#/scans?like=${scan.scan_id}`, { class: "id", title: t("sameUser") })],
    ["stage", scan.stage && `${t(scan.stage)} (${count(scan.attempts)})`],
    ["reason", reason(scan.reason)],
    ["worker", scan.worker_id && count(scan.worker_id)],
    ["nextTry", scan.next_time && time(scan.next_time)],
    ["created", time(scan.create_time)],
    ["started", scan.start_time && time(scan.start_time)],
    ["ended", scan.end_time && time(scan.end_time)],
    ["took", scan.duration && span(scan.duration)],
    ["cost", money(scan.cost_micro_usd)],
    ["trace", trace],
  ];
  return h("dl", { class: "facts" }, all.filter(([, value]) => value).map(([name, value]) =>
    h("div", {}, h("dt", {}, t(name)), h("dd", {}, value))));
}

// When a try was under way, within the scan's whole time.
function bar(attempt, begin, whole) {
  const outer = h("span", { class: "bar", "aria-hidden": "true" });
  if (!attempt.start_time || !whole) return outer;
  const inner = h("span", { class: (attempt.outcome ?? "").toLowerCase() });
  inner.style.insetInlineStart = `${Math.min(99, Math.max(0, (Date.parse(attempt.start_time) - begin) / whole / 10))}%`;
  inner.style.inlineSize = `${Math.max(1, seconds(attempt.duration) / whole * 100)}%`;
  outer.append(inner);
  return outer;
}

function attempts(all, scan) {
  const begin = Date.parse(scan.start_time ?? scan.create_time);
  const end = Math.max(...all.map((one) => Date.parse(one.end_time ?? scan.create_time)), Date.parse(scan.end_time ?? scan.create_time));
  const whole = (end - begin) / 1000;
  const rows = all.map((one) => {
    const { reason: why, text } = failure(one.error);
    return [
      t(one.stage),
      count(one.attempt),
      badge(one.outcome),
      bar(one, begin, whole),
      time(one.start_time ?? one.end_time),
      span(one.duration),
      one.worker_id ? count(one.worker_id) : "–",
      one.usage ? money(one.usage.cost_micro_usd) : "–",
      why ? h("span", { class: "prose" }, h("span", { class: "reason" }, why), " ", text) : "",
    ];
  });
  const number = (name) => ({ text: t(name), number: true });
  return table(t("attempts"), [t("stage"), number("attempt"), t("outcome"), t("when"), t("started"), number("took"), number("worker"), number("cost"), t("error")], rows, t("noAttempts"));
}

async function traceLink(traceId) {
  const url = traceId && (await traceUrl(traceId));
  return url ? { url, traceId } : { traceId };
}

export const timeline = {
  title: "timeline",
  async load(params, signal) {
    const scan_id = params.get("id") ?? "";
    const [told, { deliveries = [] }, events] = await Promise.all([
      call("GetScanTimeline", { scan_id }, signal),
      call("ListWebhookDeliveries", { scan_id }, signal),
      eventsOf(scan_id, signal),
    ]);
    return { ...told, deliveries, events, trace: await traceLink(told.timeline.trace_id) };
  },
  show({ timeline: told, dead_letter: letter, deliveries, events, trace }, _, act) {
    const { url, traceId } = trace;
    const shown = traceId && (url ? link(traceId, url, { class: "id", rel: "noreferrer", target: "_blank" }) : h("code", {}, traceId));
    return [
      h("p", { class: "id" }, told.scan.scan_id),
      letter && h("p", { class: "actions" }, badge(letter.state), " ", actions(letter, act)),
      facts(told.scan, shown),
      h("h2", {}, t("attempts")),
      attempts(told.attempts ?? [], told.scan),
      h("h2", {}, t("webhooks")),
      table(t("webhooks"), webhookColumns(), webhookRows(deliveries, act), t("noWebhooks")),
      h("h2", {}, t("events")),
      eventTable(events),
    ];
  },
};
