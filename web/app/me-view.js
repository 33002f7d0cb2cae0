// Who one is: signing in and out, the language, all that is kept as a file, and deleting it.

import { call, waited } from "./api.js";
import { calendarPart } from "./calendar.js";
import { button, h } from "./dom.js";
import { LANGUAGES, language, t } from "./language.js";
import { forget } from "./pending.js";
import { adopt, signOut } from "./session.js";
import { begin, isPossible, providers } from "./sign-in.js";
import { notice, told } from "./troubles.js";
import { buildingField, whereField } from "./where.js";

const POLL_SECONDS = 2;

export async function meView({ signal, speakIn, go }) {
  const trouble = h("div");
  // Runs what a button does, and says what went wrong with a way to try again.
  const trying = (act) => async () => {
    trouble.replaceChildren();
    try {
      await act();
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(notice(told(error), [[t("again"), trying(act)]]));
    }
  };
  const account = await call("GET", "/v1/me", { signal });
  return h(
    "div",
    { class: "me" },
    h("h1", {}, t("me.title")),
    trouble,
    account.guest ? await guest(trying) : signedIn(account, trying, go),
    h("section", { class: "part" }, h("h2", {}, t("me.settings")), languages(speakIn), whereField(), buildingField()),
    h("section", { class: "part" }, h("h2", {}, t("calendar.title")), calendarPart()),
    ownData(trying, signal, go),
  );
}

async function guest(trying) {
  const offered = isPossible ? await providers() : [];
  const buttons = offered.map(({ provider, name }) => button("main", t("me.signInWith", { name }), trying(() => begin(provider))));
  return h(
    "section",
    { class: "part" },
    h("h2", {}, t("me.guest")),
    h("p", {}, t("me.guestMeans")),
    h("div", { class: "row" }, buttons.length ? buttons : h("p", { class: "hint" }, t("me.noProvider"))),
  );
}

function signedIn({ identities = [], session_count: count = 1 }, trying, go) {
  const names = identities.map(({ name, provider }) => name || provider).join(", ");
  // A photo that is still on its way isn't the next one's who signs in here.
  const end = async (act) => {
    await act();
    await forget();
    go("#/");
  };
  const everywhere = async () => {
    await call("POST", "/v1/me:logoutEverywhere", { body: {} });
    adopt(null);
  };
  return h(
    "section",
    { class: "part" },
    h("h2", {}, t("me.hello", { names: names || t("me.you") })),
    h("div", { class: "row" },
      button("quiet", t("me.signOut"), trying(() => end(signOut))),
      count > 1 && button("quiet", t("me.signOutEverywhere", { count }), trying(() => end(everywhere)))),
  );
}

function languages(speakIn) {
  const choice = h(
    "select",
    { id: "language", onchange: () => speakIn(choice.value) },
    Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, lang: code, selected: code === language() }, name)),
  );
  return h("div", { class: "field" }, h("label", { for: "language" }, t("me.language")), choice);
}

function ownData(trying, signal, go) {
  const progress = h("p", { role: "status" });
  const exported = async () => {
    progress.replaceChildren(t("me.exporting"));
    let file = await call("POST", "/v1/me:export", { body: {}, signal });
    while (file.state === "STATE_RUNNING") {
      await waited(POLL_SECONDS, signal);
      file = await call("GET", `/v1/exports/${file.export_id}`, { signal });
    }
    const text = file.state === "STATE_SUCCEEDED" ? h("a", { href: file.download_url, download: "" }, t("me.download")) : t("me.exportFailed");
    progress.replaceChildren(text);
  };
  const erased = async () => {
    if (!confirm(t("me.sureDelete"))) return;
    const { message } = await call("DELETE", "/v1/me");
    adopt(null);
    localStorage.clear();
    await forget();
    alert(message);
    go("#/");
  };
  return h(
    "section",
    { class: "part" },
    h("h2", {}, t("me.data")),
    h("p", {}, t("me.dataMeans")),
    h("div", { class: "row" }, button("quiet", t("me.export"), trying(exported)), button("danger", t("me.delete"), trying(erased))),
    progress,
  );
}
