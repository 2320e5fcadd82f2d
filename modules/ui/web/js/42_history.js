/* The dialog with what was in the form before: parameter sets that became jobs, with search and pins. Presets: 43_presets.js. */
"use strict";

const HISTORY_AT_ONCE = 30;

/** What the open dialog shows. */
var historyView = {tab: null, page: "history", entries: [], total: 0, asked: 0};

for (const tab of GENERATING_TABS) listen(tab + "_history", () => openHistory(tab));

async function openHistory(tab) {
    historyView = {...historyView, tab, entries: [], total: 0};
    await formMemories[tab].read();
    const dialog = dialogNamed("history_dialog", {kind: "history", title: "History and presets", what: "history"}, historyParts);
    openDialog(dialog, "History and presets");
    await showHistoryPage(historyView.page);
}

function historyParts() {
    const pages = {history: "History", presets: "Presets"};
    const tabs = Object.entries(pages).map(([page, text]) => made("button", {type: "button", class: "plain", "data-page": page, text,
        onclick: () => safeAsync(() => showHistoryPage(page))}));
    const search = made("input", {type: "search", placeholder: "Search prompts and parameters", "aria-label": "Search the history"});
    search.addEventListener("input", onPause(200, () => findEntries()));
    return [
        made("div", {class: "history-pages", role: "group", "aria-label": "Show"}, ...tabs),
        made("div", {class: "history-page", "data-page": "history"},
            made("div", {class: "history-search"}, search,
                made("label", {}, made("input", {type: "checkbox", class: "only-pinned", onchange: () => safeAsync(() => findEntries())}), "Pinned only")),
            made("p", {class: "history-last quiet"}),
            made("ul", {class: "history-entries"}),
            made("p", {class: "history-said quiet", role: "status"}),
            made("button", {type: "button", class: "dialog-button history-more", text: "Show more", hidden: true, onclick: () => safeAsync(() => findEntries(true))})),
        made("div", {class: "history-page", "data-page": "presets"}),
    ];
}

/** Calls f once nothing has happened for `delay` ms. */
function onPause(delay, f) {
    let timer = null;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(() => safeAsync(f), delay);
    };
}

/** Runs f and shows what it throws. */
function safeAsync(f) {
    return Promise.resolve(safe(f)).catch((error) => showMessage(error.message, "error"));
}

function historyPart(selector) {
    return byId("history_dialog").querySelector(selector);
}

async function showHistoryPage(page) {
    historyView.page = page;
    const dialog = byId("history_dialog");
    for (const part of dialog.querySelectorAll(".history-page")) part.hidden = part.dataset.page !== page;
    for (const button of dialog.querySelectorAll(".history-pages button")) button.setAttribute("aria-pressed", String(button.dataset.page === page));
    if (page === "presets") return showPresets(historyView.tab);
    await Promise.all([showLastForm(), findEntries()]);
}

/** The line that offers the form as another browser left it, and the defaults. */
async function showLastForm() {
    const {tab} = historyView;
    const memory = formMemories[tab];
    const kept = await callServer("/internal/history/form?tab=" + tab);
    const line = historyPart(".history-last");
    line.replaceChildren(made("button", {type: "button", class: "plain linked", text: "Start again with the defaults", onclick: () => useValues(memory.defaults)}));
    if (kept.values && changedNames(memory.present, kept.values).length) {
        line.prepend(made("button", {type: "button", class: "plain linked", text: "The form as it was " + agoText(kept.saved) + ", as the server kept it", onclick: () => useValues(kept.values)}), " · ");
    }
}

async function findEntries(more) {
    const question = ++historyView.asked;
    const first = more ? historyView.entries.length : 0;
    const asked = new URLSearchParams({tab: historyView.tab, search: historyPart("input[type=search]").value, pinned: historyPart(".only-pinned").checked,
        first, count: HISTORY_AT_ONCE});
    const answer = await callServer("/internal/history/entries?" + asked);
    if (question !== historyView.asked) return;
    historyView.entries = more ? [...historyView.entries, ...answer.entries] : answer.entries;
    historyView.total = answer.total;
    drawEntries();
}

function drawEntries() {
    const {entries, total} = historyView;
    historyPart(".history-entries").replaceChildren(...entries.map(entryRow));
    const isSearch = historyPart("input[type=search]").value || historyPart(".only-pinned").checked;
    historyPart(".history-said").textContent = total ? "" : isSearch ? "Nothing in the history fits." : "Every job that you start is noted here.";
    historyPart(".history-more").hidden = entries.length >= total;
}

function entryRow(entry) {
    const {values} = entry;
    const button = (text, title, action) => made("button", {type: "button", class: "plain", text, title, onclick: () => safeAsync(action)});
    const pin = made("button", {type: "button", class: "plain pin", "aria-pressed": String(entry.pinned), text: entry.pinned ? "Pinned" : "Pin",
        title: "Pinned entries stay, however many come after them", onclick: () => safeAsync(() => pinEntry(entry))});
    return made("li", {class: entry.pinned ? "pinned" : null},
        made("p", {class: "prompt-text", text: values.prompt || "(empty prompt)", title: values.prompt}),
        values.negative_prompt && made("p", {class: "prompt-text negative", text: "Not: " + values.negative_prompt, title: values.negative_prompt}),
        made("p", {class: "quiet", text: entryFacts(entry)}),
        made("div", {class: "row-tools"},
            button("Use all", "Bring back every value of the form", () => useValues(values)),
            button("Use prompts", "Bring back the two prompts and the styles", () => useValues(onlyNamed(values, ["prompt", "negative_prompt", "styles"]))),
            button("Preset…", "Save these values under a name", () => newPresetFrom(values)),
            pin,
            button("Forget", "Remove this entry", () => forgetEntry(entry))));
}

function entryFacts({values, checkpoint, used, times}) {
    const size = values.width && values.height ? values.width + "×" + values.height : "";
    const seed = values.seed >= 0 ? "seed " + values.seed : "";
    const often = times > 1 ? times + " times" : "";
    return [values.steps ? values.steps + " steps" : "", values.sampler_name, size, values.cfg_scale ? "CFG " + values.cfg_scale : "", seed,
        checkpoint.replace(/\s*\[[0-9a-f]+\]$/, ""), agoText(used), often].filter(Boolean).join(" · ");
}

function onlyNamed(values, names) {
    return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

/** "5 min ago"; `seconds` since 1970. */
function agoText(seconds) {
    const ago = Math.max(0, Date.now() / 1000 - seconds);
    if (ago < 60) return "just now";
    if (ago < 3600) return Math.floor(ago / 60) + " min ago";
    if (ago < 24 * 3600) return Math.floor(ago / 3600) + " h ago";
    return "on " + new Date(seconds * 1000).toLocaleDateString(undefined, {year: "numeric", month: "short", day: "numeric"});
}

/** Writes values into the form and closes the dialog; what the form cannot take is said. */
async function useValues(values) {
    closeDialog(byId("history_dialog"));
    const notes = await formMemories[historyView.tab].take(values);
    for (const note of notes.slice(0, 3)) showMessage(note);
    if (notes.length > 3) showMessage("And " + (notes.length - 3) + " more values that cannot be used here.");
}

async function pinEntry(entry) {
    await callServer("/internal/history/entries/pin", {id: entry.id, pinned: !entry.pinned});
    entry.pinned = !entry.pinned;
    drawEntries();
}

async function forgetEntry(entry) {
    if (entry.pinned && !confirm("Forget this pinned entry?")) return;
    await callServer("/internal/history/entries/forget", {id: entry.id});
    historyView.entries = historyView.entries.filter((other) => other.id !== entry.id);
    historyView.total -= 1;
    drawEntries();
}
