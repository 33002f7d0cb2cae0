// The characters' looks: a body of each one's material with the same face. Who isn't known yet gets the plain body.

import { svg } from "./dom.js";

// By id: colour, outline on a grid of 100, and what is drawn on it (light strokes).
const LOOKS = {
  papey: ["#e9c46a", "M24 14h40l16 16v56H24z", "M64 14v16h16"],
  packtory: ["#8ab6d6", "M26 38 36 18h28l10 20v48H26z", "M26 38h48M36 18l7 20M64 18l-7 20"],
  petti: ["#7cc6c3", "M42 10h16v12c0 6 14 9 14 22v36c0 5-3 8-8 8H36c-5 0-8-3-8-8V44c0-13 14-16 14-22z", "M42 18h16M28 78h44"],
  pli: ["#e58f65", "M20 30h60l-6 50c-1 5-4 8-9 8H35c-5 0-8-3-9-8z", "M17 30h66"],
  vinnie: ["#c9a7d8", "M30 12c2 10 4 14 8 16h24c4-2 6-6 8-16l6 26c6 24 4 40-2 48H26c-6-8-8-24-2-48z", "M38 28c8 3 16 3 24 0"],
  foamy: ["#b9c4cc", "M18 28h64v56H18z", "M28 36h.1M72 36h.1M28 76h.1M72 76h.1M50 78h.1"],
  glassy: ["#8fbf8a", "M30 12h40v12c8 3 10 8 10 14v38c0 7-4 12-11 12H31c-7 0-11-5-11-12V38c0-6 2-11 10-14z", "M30 24h40M30 18h40"],
  metally: ["#a9b4bd", "M26 22c0-10 48-10 48 0v56c0 12-48 12-48 0z", "M26 22c0 9 48 9 48 0M26 78c6 6 42 6 48 0"],
  cotton: ["#e8a0a8", "M36 16c8 8 20 8 28 0l22 14-9 18-9-4v44H32V44l-9 4-9-18z", "M36 16c8 8 20 8 28 0"],
  barry: ["#f0b429", "M42 10h16v8h8c4 0 6 2 6 6v58c0 4-2 6-6 6H34c-4 0-6-2-6-6V24c0-4 2-6 6-6h8z", "M28 34h44M50 22v7M46.500 25.500h7"],
  lighty: ["#f6d860", "M50 10c18 0 30 12 30 29 0 14-9 20-13 30H33c-4-10-13-16-13-30 0-17 12-29 30-29M37 75h26v6H37zM42 85h16v4H42z", ""],
  elec: ["#7f8fd1", "M18 26c0-5 3-8 8-8h48c5 0 8 3 8 8v42c0 5-3 8-8 8H26c-5 0-8-3-8-8zM36 82h28v6H36z", "M50 18V8"],
};
const PLAIN = ["#6fbf8f", "M50 12c24 6 32 24 32 42 0 20-14 34-32 34S18 74 18 54c0-18 8-36 32-42", "M50 12c0 8 4 12 10 14"];
const INK = "#22302a";

// Hidden from screen readers: the name stands beside it.
export function portrait(id) {
  const [colour, body, marks] = LOOKS[id] ?? PLAIN;
  const line = { fill: "none", "stroke-linecap": "round", "stroke-linejoin": "round" };
  return svg(
    "svg",
    { class: "portrait", viewBox: "0 0 100 100", "aria-hidden": "true" },
    svg("path", { class: "body", d: body, fill: colour, stroke: INK, "stroke-width": 3, "stroke-linejoin": "round" }),
    svg("path", { class: "marks", d: marks, ...line, stroke: INK, "stroke-opacity": 0.45, "stroke-width": 3 }),
    svg("path", { class: "eyes", d: "M41 54v4M59 54v4", ...line, stroke: INK, "stroke-width": 6 }),
    svg("path", { class: "mouth", d: "M43 66c4 4 10 4 14 0", ...line, stroke: INK, "stroke-width": 3.5 }),
    svg("path", { class: "cheeks", d: "M33 63h.1M67 63h.1", ...line, stroke: "#d9572b", "stroke-opacity": 0.5, "stroke-width": 7 }),
  );
}
