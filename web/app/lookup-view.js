// Without a photo: what one calls a thing, found as one types, and its rule.

import { call } from "./api.js";
import { announce, button, focusOn, h } from "./dom.js";
import { t } from "./language.js";
import { ruleParts } from "./rule.js";
import { searching } from "./suggestions.js";
import { notice, told } from "./troubles.js";
import { known } from "./where.js";

export async function lookupView({ query, signal }) {
  const results = h("ul", { class: "results" });
  const answer = h("div", { class: "answer" });
  const trouble = h("div");
  const field = h("input", { id: "q", type: "search", maxlength: 100, autocomplete: "off", placeholder: t("lookup.example"), value: query.get("q") ?? "" });

  const show = async (item) => {
    trouble.replaceChildren();
    try {
      const body = { category: item.category, tags: item.tags ?? [], ...known() };
      const { rules, region } = await call("POST", "/v1/rules:match", { body, signal });
      const heading = h("h2", { class: "name" }, item.display_name);
      answer.replaceChildren(h("article", { class: "card" }, heading, note(item), ruleParts(rules[0]), !rules[0].evenings?.length && region?.notice && h("p", { class: "hint" }, region.notice)));
      focusOn(heading);
      answer.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(notice(told(error), [[t("again"), () => show(item)]]));
    }
  };
  const found = (items, wanted) => {
    trouble.replaceChildren();
    results.replaceChildren(...items.map((item) => h("li", {}, match(item, show))));
    if (!wanted) return;
    announce(t("lookup.found", { count: items.length }));
    if (!items.length) results.replaceChildren(h("li", { class: "empty" }, t("lookup.nothing", { wanted })));
  };
  const search = searching(found, (error) => trouble.replaceChildren(notice(told(error), [[t("again"), () => search(field.value)]])));
  field.addEventListener("input", () => {
    history.replaceState(null, "", field.value ? `#/lookup?${new URLSearchParams({ q: field.value })}` : "#/lookup");
    answer.replaceChildren();
    search(field.value);
  });
  if (field.value) search(field.value);
  return h(
    "div",
    { class: "lookup" },
    h("h1", {}, t("lookup.title")),
    h("div", { class: "field" }, h("label", { for: "q" }, t("lookup.label")), field),
    trouble, results, answer,
  );
}

function match(item, show) {
  const path = (item.category_path ?? []).slice(0, -1).join(" › ");
  return button("result", [h("strong", {}, item.display_name), path && h("span", { class: "hint" }, path)], () => show(item));
}

function note({ note: text, source, as_of: date }) {
  if (!text) return null;
  return h("div", { class: "prose" }, h("p", {}, text), source && h("p", { class: "hint" }, [source, date].filter(Boolean).join(" · ")));
}
