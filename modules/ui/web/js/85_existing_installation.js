/* "Use an existing installation": what another program's folder holds, what using it would change, and the changing. */
"use strict";

const IMPORT_PARTS = {folders: "Models", settings: "Settings", form: "Defaults of the form", styles: "Styles"};
const IMPORT_SHOWN = 200;

listen("settings_use_installation", openImport);
document.addEventListener("click", (event) => { if (event.target.closest && event.target.closest(".use-installation")) openImport(); });

function openImport() {
    let dialog = byId("existing_installation");
    if (!dialog) gradioApp().append(dialog = importDialog());
    openDialog(dialog, "Use an existing installation");
    dialog.querySelector("input").focus();
}

function importDialog() {
    const dialog = made("div", {id: "existing_installation", class: "popup-dialog card-dialog import-dialog"});
    const folder = made("input", {type: "text", name: "folder", "aria-label": "Folder of the other program", placeholder: "/home/me/stable-diffusion-webui", spellcheck: "false", autocomplete: "off"});
    const form = made("form", {class: "import-form"}, folder, made("button", {type: "submit", class: "dialog-button primary", text: "Look"}));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (folder.value.trim()) lookAtInstallation(dialog, folder.value.trim());
    });
    dialog.append(made("div", {class: "popup-dialog-inner"},
        made("header", {}, made("h2", {text: "Use an existing installation"}),
            made("button", {type: "button", class: "plain easel-icon icon-close", "aria-label": "Close", text: "✕", onclick: () => closeDialog(dialog)})),
        made("p", {class: "import-lead", text: "The folder of A1111, Forge, SD.Next, ComfyUI or InvokeAI on the machine that Easel runs on. Models are used where they are; nothing is copied, and nothing changes before you apply it."}),
        form, made("div", {class: "import-found", role: "status"})));
    return dialog;
}

async function lookAtInstallation(dialog, folder) {
    const found = dialog.querySelector(".import-found");
    found.replaceChildren(made("p", {text: "Looking…"}));
    try {
        const plan = await callServer("/internal/existing-installation/look", {folder});
        safe(() => showImportPlan(dialog, folder, plan));
    } catch (error) {
        found.replaceChildren(made("p", {class: "error", text: error.message}));
    }
}

function showImportPlan(dialog, folder, plan) {
    const parts = [
        importPart("folders", plan.folders.length, plan.folders.map((row) => importRow(row.title, row.files.toLocaleString() + (row.files === 1 ? " file, " : " files, ") + row.size, row.path))),
        importPart("settings", plan.settings.filter((row) => !row.problem).length + plan.kept, [...plan.settings.map(importChange),
            plan.kept ? made("li", {text: "Kept for extensions, since Easel itself does not know them: " + plan.kept.toLocaleString() + "."}) : null]),
        importPart("form", plan.form.length, plan.form.map(importChange)),
        importPart("styles", plan.styles.length, plan.styles.map((row) => importRow(row.name, row.text))),
    ].filter(Boolean);
    const used = plan.used_already.length ? made("p", {class: "quiet", text: "In use already: " + plan.used_already.map((row) => row.path).join(", ")}) : "";
    const apply = made("button", {type: "button", class: "dialog-button primary", id: "existing_installation_apply", text: "Apply", onclick: () => applyImport(dialog, folder)});
    dialog.querySelector(".import-found").replaceChildren(made("h3", {text: plan.program + " in " + plan.root}), ...plan.notes.map((text) => made("p", {class: "error", text})),
        ...parts, used, plan.is_empty ? made("p", {text: "There is nothing to change."}) : made("div", {class: "card-editor-buttons"}, apply));
}

/** One part of the plan with its rows; it can be left out. */
function importPart(part, count, rows) {
    rows = rows.filter(Boolean);
    if (!rows.length) return null;
    const more = rows.length > IMPORT_SHOWN ? [made("li", {class: "quiet", text: "And " + (rows.length - IMPORT_SHOWN).toLocaleString() + " more."})] : [];
    return made("section", {class: "import-part"},
        made("label", {}, made("input", {type: "checkbox", value: part, checked: count > 0, disabled: !count}), made("strong", {text: IMPORT_PARTS[part]}), made("span", {class: "quiet", text: count.toLocaleString()})),
        made("ul", {}, ...rows.slice(0, IMPORT_SHOWN), ...more));
}

function importRow(name, text, path) {
    return made("li", {}, made("span", {class: "import-name", text: name}), made("span", {class: "quiet", text: text}), path ? made("code", {text: path}) : null);
}

function importChange(change) {
    if (change.problem) return made("li", {}, made("span", {class: "import-name", text: change.label}), made("span", {class: "quiet", text: "stays as it is. " + change.problem}));
    return made("li", {title: change.key}, made("span", {class: "import-name", text: change.label}), made("span", {},
        made("del", {text: change.before || "empty"}), " → ", made("ins", {text: change.after || "empty"})));
}

/** The page still shows the settings as they were, and would store them again. */
function reloadWhenClosed(dialog) {
    new MutationObserver(() => { if (dialog.dataset.open === undefined) location.reload(); }).observe(dialog, {attributes: true, attributeFilter: ["data-open"]});
}

async function applyImport(dialog, folder) {
    const found = dialog.querySelector(".import-found");
    const parts = Array.from(found.querySelectorAll("input[type=checkbox]:checked"), (box) => box.value);
    const button = byId("existing_installation_apply");
    button.disabled = true;
    try {
        const {said} = await callServer("/internal/existing-installation/apply", {folder, parts});
        found.replaceChildren(...said.map((text) => made("p", {text})),
            made("p", {class: "quiet", text: "Models can be used at once. Defaults of the form and further folders of upscalers count after Reload UI."}),
            made("div", {class: "card-editor-buttons"}, made("button", {type: "button", class: "dialog-button", text: "Reload UI", onclick: reloadUi}),
                made("button", {type: "button", class: "dialog-button primary", text: "Done", onclick: () => closeDialog(dialog)})));
        reloadWhenClosed(dialog);
    } catch (error) {
        button.disabled = false;
        found.append(made("p", {class: "error", text: error.message}));
    }
}
