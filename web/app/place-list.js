// Places that take waste, nearest first, with a map above where Leaflet is installed.

import { h } from "./dom.js";
import { t } from "./language.js";
import { mapOf } from "./map.js";

const MAPS = { kakao: "places.kakao", openstreetmap: "places.openstreetmap", geo: "places.geo" };

export function placeList(places) {
  const list = h("ol", { class: "places" }, places.map(place));
  const map = h("div", { class: "map", hidden: true });
  mapOf(map, places);
  return [map, list];
}

function place(each) {
  const opening = each.opening ?? {};
  const isOpen = opening.state === "STATE_OPEN";
  return h(
    "li",
    {},
    h("p", { class: "strong" }, each.name, each.is_sample && h("span", { class: "tag" }, t("places.sample"))),
    h(
      "p",
      { class: "facts" },
      h("strong", {}, t("places.walk", { meters: each.distance_meters ?? 0, minutes: each.walking_minutes ?? 0 })),
      opening.text && h("span", { class: isOpen ? "open" : "" }, opening.text),
    ),
    each.address && h("p", {}, each.address),
    each.opening_hours && h("p", { class: "hint" }, each.opening_hours),
    h("p", { class: "links" }, (each.map_links ?? []).filter(({ provider }) => provider in MAPS).map((link) => mapLink(link, each)), phone(each)),
  );
}

function mapLink({ provider, uri }, { name }) {
  return h("a", { href: safe(uri), target: "_blank", rel: "noreferrer" }, t(MAPS[provider]), h("span", { class: "hidden" }, ` ${name}`));
}

function phone({ phone: number }) {
  return number ? h("a", { href: `tel:${number.replace(/[^\d+]/g, "")}` }, number) : null;
}

// An address that opens a map and runs nothing.
function safe(uri) {
  return /^(https|geo):/.test(uri) ? uri : "#";
}
