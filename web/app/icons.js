// Line icons on a grid of 24, drawn here.

import { svg } from "./dom.js";

const PATHS = {
  scan: "M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  lookup: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 20 20",
  places: "M12 21s-7-6.2-7-11a7 7 0 0 1 14 0c0 4.800-7 11-7 11M12 7.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5",
  history: "M4.500 12a7.500 7.500 0 1 0 2.400-5.500L4.500 8.800M4.500 4.500v4.300h4.300M12 8v4.300l3 1.800",
  characters: "M12 3.500c4.800 0 8 3.400 8 8.400 0 5.100-3.200 8.600-8 8.600s-8-3.500-8-8.600c0-5 3.200-8.400 8-8.400M9 11v.6M15 11v.6M9 15c1.800 1.700 4.200 1.700 6 0",
  me: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4.500 20.500c.6-4 3.600-6 7.500-6s6.900 2 7.500 6",
  camera: "M4 8.500A1.500 1.500 0 0 1 5.500 7H8l1.500-2.500h5L16 7h2.500A1.500 1.500 0 0 1 20 8.500v9a1.500 1.500 0 0 1-1.500 1.500h-13A1.500 1.500 0 0 1 4 17.500zM12 9.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7",
};

export function icon(name) {
  const look = { fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" };
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: PATHS[name], ...look }));
}
