// Where to take things: the nearest places for a position or for what one has.

import { call } from "./api.js";
import { button, h } from "./dom.js";
import { t } from "./language.js";
import { placeList } from "./place-list.js";
import { notice, told } from "./troubles.js";
import { position, setWhere, where } from "./where.js";

const RADIUS_METERS = 5000;
const LIMIT = 20;
// The guide's Korean names, which are keys, and what people come for.
const MATERIALS = { "": "places.any", 전지: "places.batteries", 조명제품: "places.lamps", 의류및원단: "places.clothes", 전기전자제품: "places.electronics" };

export async function placesView({ signal }) {
  const found = h("div", { "aria-live": "polite" });
  const choice = h("select", { id: "material", onchange: () => search() }, Object.entries(MATERIALS).map(([key, name]) => h("option", { value: key }, t(name))));

  const search = async () => {
    const { location } = where();
    if (!location) return found.replaceChildren(h("p", { class: "empty" }, t("places.whereFirst")));
    found.replaceChildren(h("p", { class: "hint" }, t("loading")));
    const query = new URLSearchParams({ "location.latitude": location.latitude, "location.longitude": location.longitude, radius_meters: RADIUS_METERS, limit: LIMIT });
    if (choice.value) query.set("materials", choice.value);
    try {
      const { places = [] } = await call("GET", `/v1/places?${query}`, { signal });
      found.replaceChildren(...(places.length ? placeList(places) : [h("p", { class: "empty" }, t("places.none"))]));
    } catch (error) {
      if (!signal.aborted) found.replaceChildren(notice(told(error), [[t("again"), search]]));
    }
  };
  const here = async () => {
    try {
      setWhere({ location: await position() });
      await search();
    } catch {
      found.replaceChildren(notice({ text: t("where.denied"), advice: t("advice.location") }, [[t("again"), here]]));
    }
  };
  search();
  return h(
    "div",
    { class: "places-view" },
    h("h1", {}, t("places.title")),
    h("div", { class: "joined" }, h("label", { class: "hidden", for: "material" }, t("places.material")), choice, button("main", t("where.here"), here)),
    found,
  );
}
