// What waits at each stage, for how long already, and how that has moved since the page was opened.

import { call } from "./api.js";
import { h, link, sparkline, table } from "./dom.js";
import { count, span } from "./formats.js";
import { t } from "./words.js";

// In the pipeline's order, also where nothing waits; a newer release's stage comes after them.
const STAGES = ["vision", "rules", "answer", "reward"];
const KEPT = 100;
const past = new Map();

function remembered(stage, figure) {
  const figures = [...(past.get(stage) ?? []), figure].slice(-KEPT);
  past.set(stage, figures);
  return figures;
}

export const queue = {
  title: "queue",
  moves: true,
  load: (_, signal) => call("GetQueueStats", {}, signal),
  show(stats) {
    const told = new Map([...STAGES.map((stage) => [stage, { stage, oldest_age: "0s" }]), ...(stats.stages ?? []).map((one) => [one.stage, one])]);
    const all = [...told.values(), { ...stats.webhooks, stage: "webhooks" }];
    const rows = all.map((one) => [
      t(one.stage),
      count(one.ready),
      count(one.in_flight),
      one.dead ? link(count(one.dead), one.stage === "webhooks" ? "#/webhooks?state=STATE_EXHAUSTED" : `#/letters?stage=${one.stage}`) : "0",
      span(one.oldest_age),
      sparkline(remembered(one.stage, (one.ready ?? 0) + (one.in_flight ?? 0))),
    ]);
    const columns = [t("stage"), ...["ready", "inFlight", "dead", "oldest"].map((name) => ({ text: t(name), number: true })), t("lately")];
    return [table(t("queue"), columns, rows, t("nothingWaits")), h("p", { class: "note" }, t("queueNote"))];
  },
};
