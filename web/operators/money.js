// What models have cost today, of what they may.

import { call } from "./api.js";
import { h, table } from "./dom.js";
import { count, money as dollars, time } from "./formats.js";
import { t } from "./words.js";

function budget(reply) {
  const spent = Number(reply.spent_micro_usd ?? 0), most = Number(reply.budget_micro_usd ?? 0);
  const text = most ? t("spentOf", dollars(spent), dollars(most)) : t("spent", dollars(spent));
  const meter = most > 0 && h("meter", { min: 0, max: most, high: most * 0.8, optimum: 0, value: Math.min(spent, most), "aria-label": text });
  return h("p", { class: "budget" }, h("strong", {}, text), meter,
    reply.user_budget_micro_usd && h("span", {}, t("userShare", dollars(reply.user_budget_micro_usd))));
}

export const money = {
  title: "money",
  load: (_, signal) => call("GetModelSpending", {}, signal),
  show(reply) {
    const rows = (reply.models ?? []).map((one) => [
      one.model || "–",
      t(one.stage),
      one.calls === undefined ? "–" : count(one.calls),
      one.input_tokens === undefined ? "–" : count(one.input_tokens),
      one.output_tokens === undefined ? "–" : count(one.output_tokens),
      dollars(one.cost_micro_usd),
    ]);
    const number = (name) => ({ text: t(name), number: true });
    return [
      budget(reply),
      table(t("money"), [t("model"), t("stage"), number("calls"), number("tokensIn"), number("tokensOut"), number("cost")], rows, t("nothingSpent")),
      h("p", { class: "note" }, t("since"), " ", time(reply.day_time)),
    ];
  },
};
