// The collection: every character there is, those one has in colour.

import { call } from "./api.js";
import { portrait } from "./characters.js";
import { h } from "./dom.js";
import { day, t } from "./language.js";

export async function charactersView({ signal }) {
  const [{ characters: all = [] }, { characters: mine = [] }] = await Promise.all([
    call("GET", "/v1/characters", { signal }),
    call("GET", "/v1/me/characters", { signal }),
  ]);
  const owned = new Map(mine.map((each) => [each.character.character_id, each]));
  const tiles = all.map((character) => tile(character, owned.get(character.character_id)));
  return h(
    "div",
    { class: "collection" },
    h("h1", {}, t("characters.title")),
    h("p", { class: "lead" }, t("characters.count", { have: owned.size, all: all.length })),
    h("ul", { class: "grid" }, tiles),
  );
}

function tile({ character_id: id, name, dialogue, middle }, own) {
  if (!own) {
    return h("li", { class: "tile unmet" }, portrait(id), h("strong", {}, name), h("span", { class: "hint" }, t("characters.unmet")));
  }
  const since = t("characters.since", { day: day(own.first_earned_time, { year: "numeric", month: "short", day: "numeric" }), count: own.count ?? 1 });
  return h(
    "li",
    { class: "tile" },
    portrait(id),
    h("strong", {}, name),
    h("p", { class: "speech" }, dialogue),
    h("span", { class: "hint" }, since),
  );
}
