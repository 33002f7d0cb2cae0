// How one kind of waste is disposed of: where it goes and when, the steps, what is dangerous, where that is from.

import { h, section } from "./dom.js";
import { evenings } from "./evenings.js";
import { t } from "./language.js";

// The parts of a rule, in order; empty ones are left out.
export function ruleParts(rule, { warning = "", prose = "" } = {}) {
  return [
    ticket(rule),
    dangers([warning, ...(rule.hazards ?? [])].filter(Boolean)),
    section(t("card.how"), prose && h("p", { class: "prose" }, prose), steps(rule, prose)),
    section(t("card.apart"), apart(rule)),
    section(
      t("card.keepOut"),
      rule.exclusions?.length > 0 &&
        h("ul", { class: "plain" }, rule.exclusions.map(({ item, instead }) => h("li", {}, h("strong", {}, item), ` → ${instead}`))),
    ),
    section(t("card.why"), rule.why && h("p", {}, rule.why)),
    source(rule),
  ].filter(Boolean);
}

// Which bag, where and on which evenings: what one looks for first.
function ticket(rule) {
  const rows = [
    [t("card.container"), rule.container],
    [t("card.place"), rule.place],
    [t("card.when"), evenings(rule) ?? rule.when],
    [t("card.fee"), rule.fee],
  ].filter(([, value]) => value);
  if (!rows.length) return null;
  return h("dl", { class: "ticket" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function steps(rule, prose) {
  if (!rule.steps?.length) return null;
  const list = h("ol", { class: "steps" }, rule.steps.map((step) => h("li", {}, h("span", {}, step))));
  return prose ? h("details", {}, h("summary", {}, t("card.steps")), list) : list;
}

// How to take it apart, in order, and where each part goes.
function apart({ take_apart: parts = [] }) {
  if (!parts.length) return null;
  const line = ({ part, how, container }) => h("span", {}, h("strong", {}, part), ` → ${container}`, h("span", { class: "hint" }, how));
  return h("ol", { class: "steps apart" }, parts.map((step) => h("li", {}, line(step))));
}

function dangers(texts) {
  if (!texts.length) return null;
  return h(
    "section",
    { class: "danger-box" },
    h("h2", {}, t("card.hazards")),
    texts.map((text) => h("p", {}, text)),
  );
}

function source(rule) {
  const days = rule.evenings?.length > 0 && rule.when; // which says how old it is
  const told = [days, rule.local_source, rule.source].filter(Boolean);
  return told.length ? h("footer", { class: "source" }, h("h2", { class: "hidden" }, t("card.source")), told.map((line) => h("p", {}, line))) : null;
}
