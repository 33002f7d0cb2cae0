// Elements, made without a framework and without ever parsing HTML: what a server says stays text.

const SVG = "http://www.w3.org/2000/svg";

// Properties that start with "on" are listeners, the others attributes; one that is false, null or undefined is left out.
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
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

// A button with its text; `kind` is its look: main, quiet, chip or danger.
export function button(kind, text, onclick, attributes = {}) {
  return h("button", { type: "button", class: kind, onclick, ...attributes }, text);
}

// A section with a heading; nothing at all if it would be empty.
export function section(title, ...children) {
  const body = children.flat(Infinity).filter(Boolean);
  return body.length ? h("section", { class: "part" }, h("h2", {}, title), ...body) : null;
}

// Tells a screen reader what has changed, without moving anybody there.
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

// Moves whoever reads by keyboard or ear to what is new.
export function focusOn(element) {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
}
