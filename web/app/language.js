// The page's language: what was chosen, else the first of the browser's that is there, else English.

import { remember, remembered } from "./storage.js";
import en from "./words.en.js";
import ko from "./words.ko.js";

const WORDS = { ko, en };
export const LANGUAGES = { ko: "한국어", en: "English" };
let chosen = remembered("language") ?? wanted();

function wanted() {
  const spoken = navigator.languages.map((each) => each.slice(0, 2).toLowerCase());
  return spoken.find((each) => each in WORDS) ?? "en";
}

export function language() {
  return chosen;
}

export function speak(one) {
  chosen = one;
  remember("language", one);
}

// A text of the page, with values for its {names}.
export function t(name, values = {}) {
  const text = WORDS[chosen][name];
  if (text === undefined) throw new Error(`no text ${name}`);
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export function percent(share) {
  return new Intl.NumberFormat(chosen, { style: "percent" }).format(share);
}

export function day(moment, options = { month: "short", day: "numeric" }) {
  return new Intl.DateTimeFormat(chosen, options).format(new Date(moment));
}
