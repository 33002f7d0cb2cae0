// Elements, made without ever parsing HTML: what a server says stays text.

const SVG = "http://www.w3.org/2000/svg";

// Attributes that begin with "on" are listeners; one that is false, null or undefined is left out.
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

// `key` names the button, so that it keeps the focus when the page is drawn anew.
export function button(text, key, onclick, kind = "quiet") {
  return h("button", { type: "button", class: kind, "data-key": key, onclick }, text);
}

export function link(text, href, attributes = {}) {
  return h("a", { href, "data-key": href, ...attributes }, text);
}

// A table that scrolls by itself where it is too wide. Columns are texts, or {text, number: true}; the first cell of a
// row is its heading. `empty` is told when there are no rows.
export function table(caption, columns, rows, empty) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const all = columns.map((column) => (typeof column === "string" ? { text: column } : column));
  const looks = (number) => (all[number].number ? "number" : null);
  const head = all.map((column, number) => h("th", { scope: "col", class: looks(number) }, column.text));
  const body = rows.map((cells) =>
    h("tr", {}, cells.map((cell, number) =>
      number ? h("td", { class: looks(number) }, cell) : h("th", { scope: "row", class: looks(number) }, cell))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption, "data-key": `table ${caption}` },
    h("table", {}, h("caption", { class: "hidden" }, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

// A choice among [value, text] pairs.
export function select(name, label, options, chosen) {
  const all = options.map(([value, text]) => h("option", { value, selected: value === (chosen ?? "") }, text));
  return h("label", {}, h("span", {}, label), h("select", { name }, all));
}

export function field(name, label, value, attributes = {}) {
  return h("label", {}, h("span", {}, label), h("input", { name, value: value ?? "", autocomplete: "off", ...attributes }));
}

// How figures have moved, oldest first; the figures themselves stand beside it.
export function sparkline(figures) {
  const most = Math.max(1, ...figures), step = 100 / Math.max(1, figures.length - 1);
  const points = figures.map((figure, number) => `${(number * step).toFixed(1)},${(23 - (figure / most) * 22).toFixed(1)}`);
  const line = filled(document.createElementNS(SVG, "polyline"), { points: points.join(" ") }, []);
  const picture = document.createElementNS(SVG, "svg");
  return filled(picture, { class: "spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" }, [line]);
}
