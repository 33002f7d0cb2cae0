// Names of things that come up as one types: a list for a field, from the rule book's search.

import { call } from "./api.js";
import { h } from "./dom.js";

const PAUSE_MS = 180;

// Items for a text; the search that came before is given up. Calls back with the list, or an error.
export function searching(onFound, onTrouble = () => {}) {
  let timer;
  let running = new AbortController();
  return (text, limit = 8) => {
    clearTimeout(timer);
    running.abort();
    running = new AbortController();
    const { signal } = running;
    const wanted = text.trim();
    if (!wanted) return onFound([], "");
    timer = setTimeout(async () => {
      try {
        const query = new URLSearchParams({ q: wanted, limit });
        const { items = [] } = await call("GET", `/v1/items:search?${query}`, { signal });
        if (!signal.aborted) onFound(items, wanted);
      } catch (error) {
        if (!signal.aborted) onTrouble(error, () => onFound([], ""));
      }
    }, PAUSE_MS);
  };
}

// A <datalist> that follows what is typed into a field.
export function suggestions(field) {
  const list = h("datalist", { id: `${field.id}-names` });
  field.setAttribute("list", list.id);
  const search = searching((items) => list.replaceChildren(...items.map((item) => h("option", { value: item.display_name }))));
  field.addEventListener("input", () => search(field.value));
  return list;
}
