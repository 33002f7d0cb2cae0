// Several things in one photo: a numbered box around each, and a list that says what each is and where it goes. The list
// says all of it, for who reads by keyboard or ear; the boxes only point.

import { h, section, svg } from "./dom.js";
import { t } from "./language.js";
import { ruleParts } from "./rule.js";

const DIGIT = 0.032; // radius of a number's disc, as a share of the photo's longer side

// A photo that boxes can be drawn over, as {element, show}. They lie over it and move nothing.
export function framed(picture) {
  const layer = svg("svg", { class: "boxes", preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" });
  const element = h("div", { class: "frame" }, picture, layer);
  let objects = [];
  const draw = () => {
    const { naturalWidth: width, naturalHeight: height } = picture;
    layer.setAttribute("viewBox", `0 0 ${width || 1} ${height || 1}`);
    layer.replaceChildren(...(width ? objects.filter((one) => one.box).map((one) => box(one, width, height)) : []));
  };
  picture.addEventListener("load", draw);
  return {
    element,
    show(shown = []) {
      objects = shown;
      // A photo that is cut to its place would cut boxes off.
      element.classList.toggle("whole", objects.length > 0);
      layer.setAttribute("preserveAspectRatio", objects.length > 0 ? "xMidYMid meet" : "xMidYMid slice");
      draw();
    },
  };
}

// Zeros are left out of the API's JSON.
function box({ object_id: id, box: { left = 0, top = 0, right = 0, bottom = 0 } }, width, height) {
  const radius = DIGIT * Math.max(width, height);
  const x = left * width;
  const y = top * height;
  const number = { x: Math.min(x + radius, width - radius), y: Math.min(y + radius, height - radius) };
  return svg(
    "g",
    { "data-object": id, onclick: () => open(id), onpointerenter: () => choose(id) },
    svg("rect", { class: "halo", x, y, width: (right - left) * width, height: (bottom - top) * height }),
    svg("rect", { x, y, width: (right - left) * width, height: (bottom - top) * height }),
    svg("circle", { cx: number.x, cy: number.y, r: radius }),
    svg("text", { x: number.x, y: number.y, "font-size": radius * 1.3 }, id),
  );
}

// The things of a scan with where each goes; nothing if there is one only.
export function things({ classification: seen = {}, object_rules: rules = [] }) {
  const { objects = [] } = seen;
  if (!objects.length) return null;
  const main = objects.find((one) => same(one.category, seen.category));
  return section(
    t("card.things"),
    h("ol", { class: "things" }, objects.map((one) => thing(one, rules.find((rule) => rule.object_id === one.object_id), one === main))),
  );
}

function thing(one, rule, isMain) {
  const id = one.object_id;
  const frame = one.frame?.image_url ? pictured(one) : null;
  return h(
    "li",
    { "data-object": id, onfocusin: () => choose(id), onpointerenter: () => choose(id) },
    h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span", { class: "number", "aria-hidden": "true" }, id),
        h("strong", {}, one.display_name),
        rule?.container && h("span", { class: "hint" }, ` → ${rule.container}`),
      ),
      frame,
      isMain ? h("p", { class: "hint" }, t("card.below")) : rule && ruleParts(rule),
    ),
  );
}

// The frame of a video that shows a thing, with the box around it.
function pictured(one) {
  const picture = h("img", { class: "shot", src: one.frame.image_url, alt: one.display_name, loading: "lazy" });
  const { element, show } = framed(picture);
  show([one]);
  return element;
}

function open(id) {
  choose(id);
  const details = document.querySelector(`.things [data-object="${CSS.escape(id)}"] details`);
  if (!details) return;
  details.open = true;
  details.querySelector("summary").focus();
}

// Marks a thing in the photo and in the list.
function choose(id) {
  for (const each of document.querySelectorAll("[data-object]")) each.classList.toggle("chosen", each.dataset.object === id);
}

function same(one = {}, other = {}) {
  return one.major === other.major && one.middle === other.middle && one.minor === other.minor;
}
