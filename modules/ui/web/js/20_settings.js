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
    const list = byId("settings_contents");
    if (!list || list.dataset.ready) return;
    list.dataset.ready = "yes";
    fillSettingsContents();
    const search = textareaOf("settings_search");
    if (search && search.value) filterSettings(search.value);
}

/* On the document: gradio may replace the box, and the first letters may be typed before the tab is set up. */
document.addEventListener("input", (event) => {
    if (event.target.closest && event.target.closest("#settings_search")) filterSettings(event.target.value);
});

listen("settings_restart_gradio", reloadUi);

/** Starts the program again; the page loads itself anew when it answers. */
async function reloadUi() {
    if (queueState.jobs.length && !confirm("Jobs are in the queue. They stop, and are offered again after the start. Reload?")) return;
    await callServer("/internal/reload-ui", {});
    showMessage("The program starts again. This page follows when it answers.");
    const waitForAnswer = () => callServer("/internal/ping").then(() => location.reload(), () => setTimeout(waitForAnswer, 700));
    setTimeout(waitForAnswer, 2500);
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
            option.toggleAttribute("data-filtered-out", !fits);
            matches += fits ? 1 : 0;
        }
        section.toggleAttribute("data-filtered-out", matches === 0);
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
