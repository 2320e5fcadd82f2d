/* Settings as the page knows them, and the Settings tab: contents list, search, values that were changed. */
"use strict";

var opts = {};

/** Reads the hidden settings box; called when it may have changed. */
function readOptions() {
    const box = textareaOf("settings_json");
    if (!box || !box.value || box.value === readOptions.last) return;
    readOptions.last = box.value;
    opts = JSON.parse(box.value);
    executeCallbacks(optionsChangedCallbacks);
}

onUiLoaded(readOptions);
onAfterUiUpdate(readOptions);
listen("settings_restart_gradio", reloadUi);

/** Starts the program again; the page loads itself anew when it answers. */
async function reloadUi() {
    if (queueState.jobs.length && !confirm("Jobs are in the queue. They stop, and are offered again after the start. Reload?")) return;
    await callServer("/internal/reload-ui", {});
    showMessage("The program starts again. This page follows when it answers.");
    const waitForAnswer = () => callServer("/internal/ping").then(() => location.reload(), () => setTimeout(waitForAnswer, 700));
    setTimeout(waitForAnswer, 2500);
}

/* Sections: drawn by gradio when they are first shown, one at a time. What a search finds is known before anything is drawn. */

/** current: the chosen section; words: what is searched; all: whether every section is shown. */
var settingsView = {current: "", words: [], all: false, toDraw: []};

onUiUpdate(setUpSettingsTab);

function setUpSettingsTab() {
    const list = byId("settings_contents");
    if (!list || list.dataset.ready) return;
    list.dataset.ready = "yes";
    const everything = made("button", {type: "button", text: "Show all", id: "settings_show_all_pages", onclick: () => chooseSettings("", true)});
    list.replaceChildren(...settingsSections().map(({id, title}) => made("button", {type: "button", text: title, "data-section": id, onclick: () => chooseSettings(id)})), everything);
    settingsView.current = settingsView.current || settingsSections()[0].id;
    setTimeout(() => searchSettings((textareaOf("settings_search") || {}).value || ""), DRAW_LATER_MS);
}

/* On the document: gradio may replace the box, and the first letters may be typed before the tab is set up. */
document.addEventListener("input", (event) => {
    if (event.target.closest && event.target.closest("#settings_search")) searchSettings(event.target.value);
});

/** What the server tells of the sections: id, title, and of each option its remarks and the text that a search looks through. */
function settingsSections() {
    const list = byId("settings_contents");
    if (!settingsSections.known && list) settingsSections.known = JSON.parse(list.dataset.sections);
    return settingsSections.known || [];
}

/** Shows one section, or all of them. */
function chooseSettings(id, all = false) {
    const search = textareaOf("settings_search");
    if (search && search.value) {
        search.value = "";
        updateInput(search);
    }
    Object.assign(settingsView, {current: id || settingsView.current, all, words: []});
    window.scrollTo({top: 0});
    safeAsync(showSettings);
}

/** Shows the options whose key, label, remark or section holds every word; nothing typed: the chosen section. */
function searchSettings(text) {
    settingsView.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    safeAsync(showSettings);
}

/** Keys of the options of a section that are to be seen now. */
function settingsShownOf({id, title, options}) {
    const {words, all, current} = settingsView;
    if (!words.length) return all || id === current ? Object.keys(options) : [];
    return Object.keys(options).filter((key) => words.every((word) => options[key].text.includes(word) || title.toLowerCase().includes(word)));
}

/** Draws what is missing, a section per frame, so that the page stays at hand; a later choice ends the work for an earlier one. */
async function showSettings() {
    const turn = showSettings.turn = (showSettings.turn || 0) + 1;
    const wanted = settingsSections().filter((section) => settingsShownOf(section).length);
    hideOtherSettings();
    for (const section of wanted) {
        if (turn !== showSettings.turn) return;
        await drawSettings([section]);
    }
    if (turn === showSettings.turn) hideOtherSettings();
}

wholePageParts.push(() => {
    setUpSettingsTab();
    return drawSettings(settingsSections());
});

/** What gradio is told when sections are to be drawn: an update for each section. */
function settingsToDraw() {
    return settingsSections().map(({id}) => ({__type__: "update", ...(settingsView.toDraw.includes(id) ? {visible: true} : {})}));
}

/** Resolves when these sections are in the document. */
async function drawSettings(sections) {
    const missing = sections.map(({id}) => id).filter((id) => !byId("settings_" + id));
    if (missing.length) {
        settingsView.toDraw.push(...missing);
        pressHidden("settings_draw");
        await whenInPage(() => missing.every((id) => byId("settings_" + id)));
    }
    hideOtherSettings();
}

/** Marks what of the drawn sections is not to be seen, and says how much was found. */
function hideOtherSettings() {
    let found = 0;
    for (const section of settingsSections()) {
        const shown = settingsShownOf(section);
        found += shown.length;
        document.querySelector(`#settings_contents [data-section="${CSS.escape(section.id)}"]`).setAttribute("aria-current", String(shown.length > 0));
        const element = byId("settings_" + section.id);
        if (!element) continue;
        element.toggleAttribute("data-filtered-out", !shown.length);
        for (const [key, {remarks}] of Object.entries(section.options)) {
            const option = byId("setting_" + key);
            if (!option) continue; // an extension's control may have another name
            option.toggleAttribute("data-filtered-out", !shown.includes(key));
            if (remarks && !option.querySelector(":scope > p.remark")) option.append(made("p", {class: "remark", text: remarks}));
        }
    }
    const note = byId("settings_search_note");
    if (note) note.textContent = settingsView.words.length ? (found ? found + " found" : "No option holds these words.") : "";
}
