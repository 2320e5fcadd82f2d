/* Presets in the history dialog: values of some or all controls under a name, with versions, a checkpoint if wished, and as text. */
"use strict";

/** The presets of the tab, newest versions first, and the values of which a new one can be made. */
var presetView = {presets: [], checkpoint: "", source: null};

async function showPresets(tab) {
    presetView = {source: null, ...await callServer("/internal/history/presets?tab=" + tab)};
    drawPresets();
}

/** Opens the presets with other values than those of the form for a new one. */
async function newPresetFrom(values) {
    await showHistoryPage("presets");
    presetView.source = values;
    drawPresets();
    historyPart(".new-preset").open = true;
    historyPart(".new-preset input[type=text]").focus();
}

function drawPresets() {
    const byName = new Map();
    for (const preset of presetView.presets) byName.set(preset.name, [...(byName.get(preset.name) || []), preset]);
    const rank = (versions) => (versions[0].checkpoint && versions[0].checkpoint === presetView.checkpoint ? 0 : 1); // for the chosen checkpoint first
    const rows = Array.from(byName.values()).sort((one, other) => rank(one) - rank(other));
    historyPart('.history-page[data-page="presets"]').replaceChildren(
        made("ul", {class: "history-entries"}, ...rows.map(presetRow)),
        rows.length ? "" : made("p", {class: "quiet", text: "There are no presets for this tab yet."}),
        newPresetPart(), presetImportPart());
}

function presetRow(versions) {
    const chosen = () => versions[Number(list.value)];
    const list = made("select", {"aria-label": "Version of " + versions[0].name, hidden: versions.length < 2},
        ...versions.map((preset, i) => made("option", {value: i, text: "Version " + preset.version + ", " + agoText(preset.saved)})));
    const facts = made("p", {class: "quiet"});
    const show = () => { facts.textContent = presetFacts(chosen()); };
    list.addEventListener("change", show);
    const button = (text, title, action) => made("button", {type: "button", class: "plain", text, title, onclick: () => safeAsync(action)});
    const row = made("li", {},
        made("p", {class: "preset-name"}, made("strong", {text: versions[0].name}), list), facts,
        made("div", {class: "row-tools"},
            button("Use", "Write these values into the form", () => usePreset(chosen())),
            button("Update", "Save the form's present values of the same controls as a new version", () => updatePreset(versions[0])),
            versions.length > 1 && button("Bring back", "The chosen version becomes the newest one", () => restorePreset(chosen())),
            button("Export", "Show the preset as text, and copy it", () => exportPreset(row, chosen())),
            button("Delete", "Delete the preset with all its versions", () => deletePreset(versions[0]))));
    show();
    return row;
}

function presetFacts(preset) {
    const {labels} = formMemories[historyView.tab];
    const names = Object.keys(preset.values);
    const what = names.length > 6 ? names.length + " values" : names.map((name) => labels[name] || name).join(", ");
    return [what, preset.checkpoint && "with " + preset.checkpoint, agoText(preset.saved)].filter(Boolean).join(" · ");
}

async function usePreset(preset) {
    if (preset.checkpoint && preset.checkpoint !== presetView.checkpoint) selectCheckpoint(preset.checkpoint);
    await useValues(preset.values);
}

/** Shows the text below the preset, for browsers that let no page write to the clipboard, and copies it where they do. */
function exportPreset(row, preset) {
    const old = row.querySelector(".preset-text");
    if (old) old.remove();
    const box = made("textarea", {rows: "6", readonly: true, "aria-label": "The preset as text"});
    box.value = preset.text;
    const file = URL.createObjectURL(new Blob([preset.text], {type: "application/json"}));
    row.append(made("div", {class: "preset-text"}, box,
        made("a", {href: file, download: preset.name.replace(/[^\w -]+/g, "_") + ".json", class: "quiet", text: "Download as a file"})));
    box.select();
    if (navigator.clipboard) return copyText(preset.text);
    return null;
}

async function savePreset(preset) {
    await callServer("/internal/history/presets/save", {tab: historyView.tab, ...preset});
    await showPresets(historyView.tab);
}

async function updatePreset(preset) {
    const {present} = formMemories[historyView.tab];
    await savePreset({name: preset.name, checkpoint: preset.checkpoint, values: onlyNamed(present, Object.keys(preset.values))});
    showMessage('"' + preset.name + '" has a new version.');
}

async function restorePreset(preset) {
    await callServer("/internal/history/presets/restore", {id: preset.id});
    await showPresets(historyView.tab);
}

async function deletePreset(preset) {
    if (!confirm('Delete the preset "' + preset.name + '" with all its versions?')) return;
    await callServer("/internal/history/presets/delete", {tab: historyView.tab, name: preset.name});
    await showPresets(historyView.tab);
}

/** Name, which values, and whether it goes with the chosen checkpoint. */
function newPresetPart() {
    const memory = formMemories[historyView.tab];
    const values = presetView.source || memory.present;
    const names = Object.keys(values).filter((name) => name in memory.labels);
    const isChanged = (name) => changedNames(memory.defaults, {[name]: values[name]}).length > 0;
    const isOfScript = (name) => name.includes("/");
    const boxes = names.map((name) => made("label", {}, made("input", {type: "checkbox", checked: !isOfScript(name) || isChanged(name), value: name}), memory.labels[name] || name,
        made("span", {class: "quiet", text: shortValue(values[name])})));
    const tick = (wanted) => () => { for (const box of part.querySelectorAll(".preset-values input")) box.checked = wanted(box.value); count(); };
    const count = () => { summary.textContent = "Values: " + part.querySelectorAll(".preset-values input:checked").length + " of " + names.length; };
    const summary = made("summary", {});
    const name = made("input", {type: "text", placeholder: "Name", "aria-label": "Name of the preset", maxlength: "100"});
    const bound = made("input", {type: "checkbox"});
    const some = (text, wanted) => made("button", {type: "button", class: "plain", text, onclick: tick(wanted)});
    const part = made("details", {class: "new-preset", open: !presetView.presets.length},
        made("summary", {text: presetView.source ? "New preset from an entry of the history" : "New preset from the form"}),
        made("div", {class: "preset-head"}, name,
            made("button", {type: "button", class: "dialog-button", text: "Save preset", onclick: () => safeAsync(() => savePreset({
                name: name.value, checkpoint: bound.checked ? presetView.checkpoint : "",
                values: onlyNamed(values, Array.from(part.querySelectorAll(".preset-values input:checked"), (box) => box.value))}))})),
        made("label", {class: "preset-bound"}, bound, "Choose the checkpoint with it: " + presetView.checkpoint),
        made("details", {}, summary,
            made("div", {class: "row-tools"}, some("All", () => true), some("None", () => false),
                some("Changed from the defaults", isChanged),
                some("All but prompts and seed", (each) => !["prompt", "negative_prompt", "seed", "subseed"].includes(each))),
            made("div", {class: "preset-values"}, ...boxes)));
    part.addEventListener("change", count);
    count();
    return part;
}

function shortValue(value) {
    const isEmpty = value === null || value === undefined || value === "" || Array.isArray(value) && !value.length;
    const text = isEmpty ? "–" : typeof value === "boolean" ? (value ? "on" : "off") : Array.isArray(value) ? value.join(", ") : String(value);
    return text.length > 40 ? text.slice(0, 39) + "…" : text;
}

function presetImportPart() {
    const box = made("textarea", {rows: "5", placeholder: "Paste the text of a preset", "aria-label": "Text of a preset"});
    return made("details", {class: "import-preset"}, made("summary", {text: "Import a preset"}), box,
        made("div", {class: "row-tools"}, made("button", {type: "button", class: "dialog-button", text: "Import", onclick: () => safeAsync(() => importPreset(box.value))})));
}

async function importPreset(text) {
    const preset = await callServer("/internal/history/presets/import", {text});
    await showPresets(historyView.tab);
    if (preset.tab !== historyView.tab) showMessage('"' + preset.name + '" belongs to ' + preset.tab + " and is listed there.");
}
