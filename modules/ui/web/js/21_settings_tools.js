/* Tools of the Settings tab: what differs from the defaults, copies to go back to, and the form as it is as the default. */
"use strict";

listen("settings_changed", () => openChangedSettings());
listen("settings_backups", () => openSettingsBackups());
listen("settings_form_defaults", () => openFormDefaults());

/** A dialog that is made anew each time, since what it shows changes. */
function toolButton(text, action) {
    return made("button", {type: "button", class: "dialog-button", text, onclick: () => safeAsync(action)});
}

function shownValue(value) {
    const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
    return text === "" ? "(empty)" : text.length > 200 ? text.slice(0, 200) + "…" : text;
}

function differencesTable(heads, rows) {
    return made("table", {}, made("thead", {}, made("tr", {}, ...heads.map((text) => made("th", {scope: "col", text})))), made("tbody", {}, ...rows));
}

async function openChangedSettings() {
    const {settings} = await callServer("/internal/settings/changed");
    const rows = settings.map((row) => made("tr", {}, made("td", {}, row.label, made("small", {text: row.section})), made("td", {text: shownValue(row.value)}), made("td", {text: shownValue(row.default)}),
        made("td", {}, toolButton("Reset", () => resetSettings([row.key])))));
    freshDialog("settings_changed_dialog", {title: "What differs from the defaults"}, rows.length ? [differencesTable(["Setting", "Now", "Default", ""], rows),
        made("div", {class: "dialog-buttons"}, toolButton("Reset all", () => confirm("Set all of these back to their defaults?") && resetSettings(settings.map((row) => row.key))))]
        : [made("p", {class: "quiet", text: "Everything is as it was delivered."})]);
}

async function resetSettings(keys) {
    saySettingNotes((await callServer("/internal/settings/reset", {keys})).notes, "Reset. The page is loaded again.");
}

/** Says what could not be set, then loads the page, whose controls show the new values. */
function saySettingNotes(notes, text) {
    notes.forEach((note) => showMessage(note, "error"));
    showMessage(text);
    setTimeout(() => location.reload(), notes.length ? 6000 : 700);
}

async function openSettingsBackups() {
    const {backups} = await callServer("/internal/settings/backups");
    const name = made("input", {type: "text", placeholder: "Name", "aria-label": "Name of the copy"});
    const rows = backups.map((backup) => made("tr", {}, made("td", {text: backup.is_daily ? "made by itself" : backup.name}), made("td", {text: new Date(backup.made * 1000).toLocaleString("en")}),
        made("td", {}, toolButton("Restore", async () => saySettingNotes((await callServer("/internal/settings/backups/restore", {file: backup.file})).notes, "Restored. The page is loaded again.")))));
    freshDialog("settings_backups_dialog", {title: "Copies of the settings"}, [
        made("div", {class: "form-tools"}, name, toolButton("Copy the settings now", () => callServer("/internal/settings/backups/save", {name: name.value}).then(openSettingsBackups))),
        rows.length ? differencesTable(["Name", "Made", ""], rows) : made("p", {class: "quiet", text: "There is no copy yet. One is made on each day on which something differs from the defaults."})]);
}

/** View changes and Apply: the present values of both forms become the defaults of new pages. */
async function openFormDefaults() {
    const parts = [];
    const all = [];
    for (const tab of GENERATING_TABS) {
        const values = formMemories[tab].present;
        if (!values) continue;
        const {changes} = await callServer("/internal/settings/form-defaults", {tab, values});
        all.push([tab, values, changes.length]);
        const rows = changes.map((row) => made("tr", {}, made("td", {text: row.label}), made("td", {text: shownValue(row.value)}), made("td", {text: shownValue(row.default)})));
        if (rows.length) parts.push(made("h3", {text: tab}), differencesTable(["Control", "Now", "Default"], rows));
    }
    const apply = async () => {
        for (const [tab, values] of all) await callServer("/internal/settings/form-defaults", {tab, values, store: true});
        closeDialog(byId("form_defaults_dialog"));
        showMessage("Stored. They count from the next start on; Reload UI does that at once.");
    };
    freshDialog("form_defaults_dialog", {title: "Defaults of the forms"}, parts.length ? [made("p", {class: "quiet", text: "New pages would begin with these values."}), ...parts,
        made("div", {class: "dialog-buttons"}, toolButton("Apply", apply))] : [made("p", {class: "quiet", text: "The forms stand at their defaults."})]);
}
