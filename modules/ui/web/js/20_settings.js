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
onAfterUiUpdate(setUpSettingsTab);

function setUpSettingsTab() {
    const search = textareaOf("settings_search");
    if (!search || search.dataset.ready) return;
    search.dataset.ready = "yes";
    search.addEventListener("input", () => filterSettings(search.value));
    fillSettingsContents();
}

/** Shows the options whose label, key or section holds every word; sections without one disappear. */
function filterSettings(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const section of document.querySelectorAll(".settings-section")) {
        const heading = section.querySelector("h2").textContent.toLowerCase();
        let matches = 0;
        for (const option of section.querySelectorAll('[id^="row_setting_"]')) {
            const described = (heading + " " + option.id + " " + option.textContent).toLowerCase();
            const fits = words.every((word) => described.includes(word));
            option.classList.toggle("filtered-out", !fits);
            matches += fits ? 1 : 0;
        }
        section.classList.toggle("filtered-out", matches === 0);
        shown += matches;
    }
    const note = byId("settings_search_note");
    if (note) note.textContent = words.length ? (shown ? shown + " found" : "No option holds these words.") : "";
}

function fillSettingsContents() {
    const list = byId("settings_contents");
    if (!list) return;
    list.replaceChildren(...Array.from(document.querySelectorAll(".settings-section"), (section) => made("button", {
        type: "button",
        text: section.querySelector("h2").textContent,
        onclick: () => section.scrollIntoView({behavior: "smooth", block: "start"}),
    })));
}
