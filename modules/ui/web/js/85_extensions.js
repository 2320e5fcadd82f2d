/* The Extensions tab: what is installed, what can be, installing after a look at what it adds, and saved states. */
"use strict";

const EXTENSION_PARTS = {installed: "Installed", available: "Available", url: "Install from URL", states: "Backup/Restore"};
const OFFER_ORDERS = {newest: ["newest first", (a, b) => b.added.localeCompare(a.added)], oldest: ["oldest first", (a, b) => a.added.localeCompare(b.added)],
    az: ["a-z", (a, b) => a.name.localeCompare(b.name)], za: ["z-a", (a, b) => b.name.localeCompare(a.name)], index: ["internal order", () => 0],
    updated: ["update time", (a, b) => b.updated.localeCompare(a.updated)], created: ["create time", (a, b) => b.created.localeCompare(a.created)],
    stars: ["stars", (a, b) => b.stars - a.stars]};
const OFFER_TAGS = {script: false, ads: true, localization: true, installed: true}; // tag -> hidden at first
const OFFERS_SHOWN = 100;

/** What the server listed, and why nothing may be changed, if so. */
var extensionsView = {installed: [], offers: [], tags: {}, refusal: ""};

function extensionPart(name) {
    return byId("extensions_" + name);
}

function askExtensions(path, body) {
    return callServer("/internal/extensions" + path, body);
}

/** A button of this tab; what goes wrong is said. */
function extensionButton(text, action, more) {
    return made("button", {type: "button", class: "dialog-button", text, ...more, onclick: (event) => {
        const button = event.currentTarget;
        button.disabled = true;
        Promise.resolve(safe(() => action(button))).catch((error) => showMessage(error.message, "error")).finally(() => { button.disabled = false; });
    }});
}

function buildExtensions() {
    const tabs = Object.entries(EXTENSION_PARTS).map(([name, text]) => made("button", {type: "button", role: "tab", id: "extensions_tab_" + name, "aria-controls": "extensions_" + name,
        text, onclick: () => showExtensionPart(name)}));
    const list = made("div", {class: "sub-tabs", role: "tablist", "aria-label": "Extensions"}, ...tabs);
    list.addEventListener("keydown", (event) => {
        const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
        if (!step) return;
        const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
        next.focus();
        next.click();
    });
    byId("extensions_page").append(list, made("p", {id: "extensions_refusal", class: "note", hidden: true}),
        ...Object.keys(EXTENSION_PARTS).map((name) => made("div", {id: "extensions_" + name, role: "tabpanel", "aria-labelledby": "extensions_tab_" + name, hidden: true})));
    buildAvailable();
    buildFromUrl();
    showExtensionPart("installed");
}

function showExtensionPart(name) {
    for (const other of Object.keys(EXTENSION_PARTS)) {
        extensionPart(other).hidden = other !== name;
        byId("extensions_tab_" + other).setAttribute("aria-selected", String(other === name));
        byId("extensions_tab_" + other).tabIndex = other === name ? 0 : -1;
    }
    const load = {installed: loadInstalled, states: loadStates}[name];
    if (load) load().catch((error) => showMessage(error.message, "error"));
}

/* Installed */

async function loadInstalled() {
    const answer = await askExtensions("");
    Object.assign(extensionsView, {installed: answer.extensions, refusal: answer.refusal});
    const note = byId("extensions_refusal");
    note.hidden = !answer.refusal;
    note.textContent = answer.refusal;
    const switches = made("select", {id: "extensions_disable_all", "aria-label": "Disable all extensions"},
        ...[["none", "none"], ["extra", "those that you added"], ["all", "all"]].map(([value, text]) => made("option", {value, text, selected: answer.disable_all === value})));
    const tools = made("div", {class: "form-tools"},
        extensionButton("Apply and restart", applyExtensions, {id: "extensions_apply", disabled: Boolean(answer.refusal)}),
        extensionButton("Check for updates", checkAllExtensions, {id: "extensions_check", disabled: Boolean(answer.refusal)}),
        made("label", {}, "Disable all extensions: ", switches));
    const head = made("thead", {}, made("tr", {}, ...["Extension", "URL", "Branch", "Version", "Changed", "Time", ""].map((text) => made("th", {scope: "col", text}))));
    const rows = answer.extensions.map(extensionRow);
    const removed = answer.removed.map((name) => made("p", {}, name + " was removed. ", extensionButton("Bring it back", () => askExtensions("/roll-back", {name}).then(loadInstalled))));
    extensionPart("installed").replaceChildren(tools, ...removed, made("div", {class: "table-scroll"}, made("table", {class: "extensions-table"}, head, made("tbody", {}, ...rows))));
}

function extensionRow(row) {
    const box = made("input", {type: "checkbox", checked: row.enabled, "data-name": row.name, "aria-label": "Enable " + row.name});
    const state = made("span", {class: "extension-state quiet", text: row.enabled === row.runs ? "" : row.enabled ? "on after a restart" : "off after a restart"});
    const url = /^https:/.test(row.remote) ? made("a", {href: row.remote, target: "_blank", rel: "noopener noreferrer", text: row.remote.replace(/^https:\/\//, "")}) : made("span", {text: row.remote || (row.is_bundled ? "comes with Easel" : "")});
    const buttons = row.is_bundled ? [] : [
        ...(row.remote ? [extensionButton("Update", () => lookAtExtension("/update", {name: row.name}))] : []),
        ...(row.earlier.length ? [extensionButton("Roll back", () => askExtensions("/roll-back", {name: row.name}).then(loadInstalled).then(restartNeeded), {title: "Change it with the version before"})] : []),
        extensionButton("Remove", () => askExtensions("/remove", {name: row.name}).then(loadInstalled).then(restartNeeded))];
    return made("tr", {"data-name": row.name}, made("td", {}, made("label", {}, box, " " + row.name), " ", state), made("td", {}, url), made("td", {text: row.branch}), made("td", {class: "version", text: row.version}),
        made("td", {text: new Date(row.modified * 1000).toLocaleDateString("en", {day: "numeric", month: "short", year: "numeric"})}),
        made("td", {text: row.runs ? row.seconds.toFixed(2) + " s" : "", title: "What its files took since the start"}), made("td", {}, made("div", {class: "buttons"}, ...(extensionsView.refusal ? [] : buttons))));
}

async function checkAllExtensions() {
    for (const row of extensionsView.installed.filter((extension) => extension.remote)) {
        const place = document.querySelector(`#extensions_installed tr[data-name="${CSS.escape(row.name)}"] .version`);
        if (!place) return;
        place.textContent = row.version + " …";
        const answer = await askExtensions("/check", {name: row.name}).catch((error) => ({error: error.message}));
        place.textContent = row.version + (answer.error ? "" : answer.is_new ? " → " + answer.newest : " (latest)");
        place.title = answer.error || "";
        place.classList.toggle("is-new", Boolean(answer.is_new));
        if (answer.error) place.append(made("span", {class: "error", text: " could not be asked"}));
    }
}

function restartNeeded() {
    showMessage("This counts after a restart: Installed, Apply and restart.");
}

async function applyExtensions() {
    const boxes = Array.from(document.querySelectorAll("#extensions_installed input[type=checkbox]"));
    const disabled = boxes.filter((box) => !box.checked).map((box) => box.dataset.name);
    await askExtensions("/switch", {disabled, disable_all: byId("extensions_disable_all").value});
    await reloadUi();
}

/* Looking at what an extension adds, and installing it */

async function lookAtExtension(path, body) {
    const found = await askExtensions(path, body);
    freshDialog("extension_dialog", {kind: "extension-preview", title: (found.replaces ? "Update " : "Install ") + found.name, what: "question"}, [
        made("p", {class: "quiet", text: "From " + found.source}), ...previewParts(found.preview),
        made("p", {class: "note", text: "An extension is a program: it can do on this machine whatever you can. Install those that you trust."}),
        made("pre", {class: "installer-output", hidden: true}),
        made("div", {class: "dialog-buttons"}, extensionButton(found.replaces ? "Update" : "Install", () => installExtension(found.id), {class: "dialog-button primary", id: "extension_install"}))]);
}

function previewParts(preview) {
    const parts = [["Files", preview.files + " files, " + byteCount(preview.size_bytes)], ["Scripts", preview.scripts.join(", ")],
        ["In the page", [...preview.page_scripts, ...(preview.has_style ? ["style.css"] : [])].join(", ")], ["Python packages", preview.requirements.join(", ")],
        ["Runs once", preview.runs_installer ? "install.py" : ""], ["Runs at each start", [...(preview.has_preload ? ["preload.py"] : []), ...(preview.runs_installer ? ["install.py"] : [])].join(", ")],
        ["Settings", preview.settings.join(", ")], ["Addresses", preview.routes.join(", ")]].filter(([, text]) => text);
    return [made("dl", {class: "extension-facts"}, ...parts.flatMap(([name, text]) => [made("dt", {text: name}), made("dd", {text})])), ...preview.notes.map((text) => made("p", {class: "note", text}))];
}

async function installExtension(id) {
    await askExtensions("/install", {id});
    const dialog = byId("extension_dialog");
    const output = dialog.querySelector(".installer-output");
    output.hidden = false;
    for (;;) {
        const state = await askExtensions("/installation/" + encodeURIComponent(id));
        output.textContent = state.lines.join("\n") || "Installing…";
        output.scrollTop = output.scrollHeight;
        if (state.state === "failed") throw new Error(state.error);
        if (state.state === "done") break;
        await new Promise((resolve) => setTimeout(resolve, 300));
    }
    closeDialog(dialog);
    showExtensionPart("installed");
    restartNeeded();
}

function buildFromUrl() {
    const field = (id, label, placeholder) => made("label", {}, label, made("input", {type: "text", id, placeholder, spellcheck: "false"}));
    extensionPart("url").append(made("div", {class: "extension-form"},
        field("extension_url", "URL of the extension's git repository, or a folder, clone or zip archive on this machine", "https://"),
        field("extension_branch", "Branch", "empty: the usual one"), field("extension_name", "Local directory name", "empty: by the address"),
        extensionButton("Look and install", () => lookAtExtension("/look", {url: byId("extension_url").value, branch: byId("extension_branch").value, name: byId("extension_name").value}), {id: "extension_look"}),
        made("p", {class: "quiet", text: "You see what it adds before anything of it runs."})));
}

/* Available */

function buildAvailable() {
    const tags = Object.entries(OFFER_TAGS).map(([tag, hidden]) => made("label", {}, made("input", {type: "checkbox", "data-tag": tag, checked: hidden, onchange: writeOffers}), " " + tag));
    const order = made("select", {id: "extensions_order", "aria-label": "Order", onchange: writeOffers}, ...Object.entries(OFFER_ORDERS).map(([value, [text]]) => made("option", {value, text})));
    const search = made("input", {type: "search", id: "extensions_search", placeholder: "Search", "aria-label": "Search in the extensions", oninput: writeOffers});
    extensionPart("available").append(
        made("div", {class: "form-tools"}, made("input", {type: "text", id: "extensions_index", "aria-label": "Address of the list", placeholder: "empty: the list of the settings", spellcheck: "false"}), extensionButton("Load from", loadOffers, {id: "extensions_load"})),
        made("div", {class: "form-tools"}, made("span", {text: "Hide: "}), ...tags, order, search), made("div", {id: "extensions_offers", "aria-live": "polite"}));
}

async function loadOffers() {
    const answer = await askExtensions("/available", {url: byId("extensions_index").value.trim()});
    Object.assign(extensionsView, {offers: answer.offers, tags: answer.tags});
    writeOffers();
}

function writeOffers() {
    const hidden = Array.from(document.querySelectorAll("#extensions_available input[data-tag]:checked"), (box) => box.dataset.tag);
    const words = byId("extensions_search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (offer) => !hidden.some((tag) => (tag === "installed" ? offer.installed : offer.tags.includes(tag))) && words.every((word) => (offer.name + " " + offer.description).toLowerCase().includes(word));
    const found = extensionsView.offers.filter(fits).sort(OFFER_ORDERS[byId("extensions_order").value][1]);
    const more = found.length > OFFERS_SHOWN ? [made("p", {class: "quiet", text: `${OFFERS_SHOWN} of ${found.length} are shown; search for others.`})] : [];
    byId("extensions_offers").replaceChildren(made("p", {class: "quiet", text: extensionsView.offers.length ? found.length + " of " + extensionsView.offers.length + " extensions" : ""}),
        ...found.slice(0, OFFERS_SHOWN).map(offerPart), ...more);
}

function offerPart(offer) {
    const name = /^https:/.test(offer.url) ? made("a", {href: offer.url, target: "_blank", rel: "noopener noreferrer", text: offer.name}) : made("span", {text: offer.name});
    const facts = [offer.added && "added " + offer.added, offer.stars && offer.stars.toLocaleString("en") + " stars", ...offer.tags].filter(Boolean).join(" · ");
    const button = offer.installed ? made("span", {class: "quiet", text: "installed"}) : extensionButton("Install", () => lookAtExtension("/look", {url: offer.url}));
    return made("article", {class: "offer"}, made("div", {}, made("h3", {}, name), made("p", {text: offer.description}), made("p", {class: "quiet", text: facts, title: offer.tags.map((tag) => tag + ": " + (extensionsView.tags[tag] || "")).join("\n")})), button);
}

/* Saved states */

async function loadStates() {
    const {states} = await askExtensions("/states");
    const name = made("input", {type: "text", id: "extensions_state_name", placeholder: "Name", "aria-label": "Name of the state"});
    const rows = states.map((state) => made("article", {class: "offer"},
        made("div", {}, made("h3", {text: state.name}), made("p", {class: "quiet", text: new Date(state.created * 1000).toLocaleString("en") + " · " + state.program}),
            made("p", {text: Object.entries(state.extensions).map(([extension, entry]) => extension + (entry.enabled ? "" : " (off)") + (entry.commit ? " " + entry.commit.slice(0, 8) : "")).join(", ")})),
        extensionButton("Restore", () => askExtensions("/states/restore", {file: state.file}).then((answer) => { answer.notes.forEach((note) => showMessage(note, "error")); restartNeeded(); }))));
    extensionPart("states").replaceChildren(made("div", {class: "form-tools"}, name, extensionButton("Save Current Config", () => askExtensions("/states/save", {name: name.value}).then(loadStates), {id: "extensions_save_state"})),
        ...(rows.length ? rows : [made("p", {class: "quiet", text: "Nothing is saved yet. A saved state brings back which extensions were on, and at which version."})]));
}

onUiTabChange(() => {
    const tab = get_uiCurrentTab();
    if (!tab || !tab.id.startsWith("tab_extensions")) return;
    whenInPage(() => byId("extensions_page")).then((page) => {
        if (!page.childElementCount) buildExtensions();
    }).catch((error) => showMessage(error.message, "error"));
});
