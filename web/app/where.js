// Where one lives and is: the district, a building's code, the position. Remembered here, and sent with each question.

import { call } from "./api.js";
import { h } from "./dom.js";
import { t } from "./language.js";
import { remember, remembered } from "./storage.js";

const NONE = { region: "", building: "", location: null };
// The guide's Korean name of what every district has rules for.
const ANY_KIND = { major: "재활용폐기물" };

export function where() {
  return { ...NONE, ...remembered("where") };
}

export function setWhere(changes) {
  remember("where", { ...where(), ...changes });
}

// What goes along with a question: only what is known.
export function known() {
  return Object.fromEntries(Object.entries(where()).filter(([, value]) => value));
}

// The browser's position, rounded to a hundred metres: nobody needs to know more. Rejects if it isn't told.
export function position() {
  return new Promise((resolve, reject) => {
    if (!navigator.geolocation) return reject(new Error("none"));
    const round = (degrees) => Math.round(degrees * 1000) / 1000;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ latitude: round(coords.latitude), longitude: round(coords.longitude) }),
      reject,
      { maximumAge: 600_000, timeout: 10_000 },
    );
  });
}

// The district that the service understands by a name or a position, such as "서울특별시/마포구"; empty if it knows none.
async function recognised(asked) {
  const { region } = await call("POST", "/v1/rules:match", { body: { category: ANY_KIND, ...asked } });
  return region.asked ?? "";
}

// The field for the district with a button for the position; says below what it was understood as.
export function whereField() {
  const hint = h("p", { class: "hint", id: "region-hint", "aria-live": "polite" });
  const field = h("input", {
    id: "region", name: "region", type: "text", value: where().region, maxlength: 100, autocomplete: "address-level2",
    placeholder: t("where.example"), "aria-describedby": "region-hint",
    onchange: () => {
      setWhere({ region: field.value.trim(), location: null });
      said();
    },
  });
  const said = async () => {
    hint.textContent = "";
    const region = field.value.trim();
    if (!region) return;
    const name = await recognised({ region }).catch(() => null); // a scan says so if nothing answers
    hint.textContent = name === null ? "" : name ? t("where.known", { name }) : t("where.unknown");
  };
  const here = async () => {
    hint.textContent = t("where.asking");
    try {
      const location = await position();
      const region = await recognised({ location });
      setWhere({ region, location });
      field.value = region;
      hint.textContent = region ? t("where.known", { name: region }) : t("where.unknown");
    } catch {
      hint.textContent = t("where.denied");
    }
  };
  return h(
    "div",
    { class: "field" },
    h("label", { for: "region" }, t("where.label")),
    h("div", { class: "joined" }, field, h("button", { type: "button", class: "quiet", onclick: here }, t("where.here"))),
    hint,
  );
}

// The field for the code of one's building, which says below whose it is.
export function buildingField() {
  const hint = h("p", { class: "hint", id: "building-hint", "aria-live": "polite" });
  const field = h("input", {
    id: "building", type: "text", value: where().building, maxlength: 9, autocomplete: "off", autocapitalize: "characters",
    placeholder: "K7PD-2MTX", "aria-describedby": "building-hint",
    onchange: async () => {
      const code = field.value.trim();
      setWhere({ building: "" });
      hint.textContent = "";
      if (!code) return;
      try {
        const { name } = await call("GET", `/v1/buildings/${encodeURIComponent(code)}`);
        setWhere({ building: code });
        hint.textContent = t("where.known", { name });
      } catch (error) {
        hint.textContent = error.text || t("advice.building");
      }
    },
  });
  return h("div", { class: "field" }, h("label", { for: "building" }, t("where.building")), field, hint);
}
