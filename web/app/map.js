// A map by Leaflet, where `make setup` has installed it from npm and a setting names the tiles. Else nothing: a list will do.

import { h } from "./dom.js";

let leaflet;

// Loads Leaflet once; null without it.
function loaded() {
  leaflet ??= settings().then(async ({ tiles, attribution }) => {
    if (!tiles) return null;
    await Promise.all([added("link", { rel: "stylesheet", href: "/app/leaflet.css" }), added("script", { src: "/app/leaflet.js" })]);
    return { L: window.L, tiles, attribution };
  }).catch(() => null);
  return leaflet;
}

// Where tiles are, from the edge; nothing where there is no map.
async function settings() {
  return (await fetch("/app/map.json")).json();
}

function added(tag, attributes) {
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement(tag), attributes, { onload: resolve, onerror: reject });
    document.head.append(element);
  });
}

// Draws places into an element, and shows it.
export async function mapOf(element, places) {
  const found = await loaded();
  const points = places.filter(({ location }) => location).map(({ location, name }) => [[location.latitude, location.longitude], name]);
  if (!found || !points.length) return;
  const { L, tiles, attribution } = found;
  element.hidden = false;
  const color = getComputedStyle(element).getPropertyValue("--leaf");
  const map = L.map(element, { scrollWheelZoom: false });
  L.tileLayer(tiles, { attribution, maxZoom: 19, referrerPolicy: "origin" }).addTo(map);
  // Leaflet takes a string for HTML, and names come from other people's data.
  for (const [at, name] of points) L.circleMarker(at, { radius: 9, weight: 3, color }).bindTooltip(h("span", {}, name)).addTo(map);
  map.fitBounds(points.map(([at]) => at), { padding: [32, 32], maxZoom: 16 });
}
