/* Keyboard shortcuts: one table of what can be done by keys, an overview, and other keys for each. */
"use strict";

const SHORTCUTS_KEPT = "easel_shortcuts";
const TEXT_FIELDS = "textarea, [contenteditable=true], select, input:not([type=range]):not([type=checkbox]):not([type=radio]):not([type=button])";
const OPEN_OVER_THE_PAGE = ".popup-dialog[data-open], #lightboxModal:not([hidden]), .context-menu, #tour:focus-within, [role=listbox]:not(#gallery_scroll)";

/** Keys that belong to a place and are not changed here: [where, [[keys, what they do]]]. */
const FIXED_KEYS = [
    ["In a prompt", [["Ctrl+Up, Ctrl+Down", "change the weight of the selection or word"], ["Alt+Left, Alt+Right", "move a part between commas"], ["Tab, Enter", "take the offered word"]]],
    ["On the canvas", [["B, E, L, F", "brush, eraser, lasso, fill"], ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"], ["wheel, Alt+wheel", "size of the brush, zoom"]]],
    ["In the gallery", [["arrows", "go to another picture"], ["Enter, Z", "show beside, enlarge"], ["Space, Shift+arrows, Ctrl+A", "choose"], ["S", "star"], ["Delete", "into the bin"]]],
    ["Over an enlarged picture", [["Left, Right", "another picture"], ["Z", "original size"], ["S", "save"], ["Esc", "close"]]],
];

/** {id, label, keys, inText: works while one types, isFirst: before the control that has the focus, run: returns false where it does not apply}. */
const SHORTCUTS = [
    {id: "generate", label: "Generate", keys: "Ctrl+Enter", inText: true, isFirst: true, run: () => pressOfTab("_generate")},
    {id: "skip", label: "Skip the present picture", keys: "Alt+Enter", inText: true, isFirst: true, run: () => pressOfTab("_skip")},
    {id: "interrupt", label: "Interrupt", keys: "Escape", inText: true, isFirst: true,
        run: () => !document.querySelector(OPEN_OVER_THE_PAGE) && (pressOfTab("_interrupt") || pressOfTab("_interrupting"))},
    {id: "undo", label: "Take back a change of the form", keys: "Ctrl+Z", run: () => stepOfForm("undo")},
    {id: "redo", label: "Make it again", keys: "Ctrl+Shift+Z, Ctrl+Y", run: () => stepOfForm("redo")},
    {id: "prompt", label: "To the prompt", keys: "Alt+P", inText: true, run: () => focusPrompt()},
    {id: "queue", label: "Show or hide the queue", keys: "Alt+Q", inText: true, run: () => pressIfVisible("queue_button")},
    {id: "history", label: "History of prompts and forms", keys: "Alt+H", inText: true, run: () => openHistoryByKey()},
    {id: "search", label: "Search in the gallery", keys: "Alt+G", inText: true, run: () => searchGalleryByKey()},
    {id: "theme", label: "Light or dark", keys: "Alt+D", inText: true, run: () => pressIfVisible("theme_button")},
    ...["txt2img", "img2img", "gallery", "extras", "pnginfo", "modelmerger", "settings", "extensions"].map((tab, i) => (
        {id: "tab_" + tab, label: "Tab " + tab, keys: "Alt+" + (i + 1), inText: true, run: () => pressIfVisible("tab_" + tab + "-button")})),
    {id: "overview", label: "This overview", keys: "?", run: () => openShortcuts()},
];

function pressIfVisible(id) {
    const button = byId(id);
    if (!uiElementIsVisible(button)) return false;
    button.click();
    return true;
}

function pressOfTab(ending) {
    const tab = currentResultTab();
    return Boolean(tab) && pressIfVisible(tab + ending);
}

function stepOfForm(direction) {
    const tab = currentGeneratingTab();
    if (!tab || presentDialog()) return false;
    stepForm(tab, direction);
    return true;
}

function focusPrompt() {
    const box = textareaOf((currentGeneratingTab() || "txt2img") + "_prompt");
    if (!uiElementIsVisible(box)) return false;
    box.focus();
    return true;
}

function openHistoryByKey() {
    const tab = currentGeneratingTab();
    if (!tab || presentDialog()) return false;
    openHistory(tab).catch((error) => showMessage(error.message, "error"));
    return true;
}

function searchGalleryByKey() {
    switch_to_tab("gallery");
    whenInPage(() => byId("gallery_search")).then((box) => box.focus()).catch(() => {});
    return true;
}

/* Which keys */

function keptShortcuts() {
    return safe(() => JSON.parse(localGet(SHORTCUTS_KEPT, "{}")), {}) || {};
}

function keysOfShortcut(shortcut) {
    return keptShortcuts()[shortcut.id] ?? shortcut.keys;
}

/** "Ctrl+Shift+Z" for an event; the command key of a Mac counts as Ctrl. The sign counts, as keyboards place letters differently; where
 *  Alt or another alphabet makes another sign of it, the place of the key does. */
function keysOfEvent(event) {
    const isByPlace = /^(Key[A-Z]|Digit\d)$/.test(event.code || "") && (event.altKey || event.ctrlKey || event.metaKey) && !/^[a-z0-9]$/i.test(event.key);
    const key = isByPlace ? event.code.slice(-1) : event.key;
    const name = key === " " ? "Space" : key.length === 1 ? key.toUpperCase() : key;
    const shift = event.shiftKey && !(key.length === 1 && /[^a-z0-9]/i.test(key)); // "?" is a key of its own
    return [(event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", shift && "Shift", name].filter(Boolean).join("+");
}

function keyForShortcut(event, isFirst) {
    if (event.isComposing || event.defaultPrevented || byId("shortcuts_dialog")?.dataset.waits) return;
    const keys = keysOfEvent(event);
    const typing = Boolean(event.target.closest && event.target.closest(TEXT_FIELDS));
    for (const shortcut of SHORTCUTS.filter((each) => Boolean(each.isFirst) === isFirst)) {
        if (!keysOfShortcut(shortcut).split(", ").includes(keys) || (typing && !shortcut.inText)) continue;
        if (shortcut.run() === false) continue;
        event.preventDefault();
        event.stopPropagation();
        return;
    }
}

document.addEventListener("keydown", (event) => safe(() => keyForShortcut(event, true)), true);
document.addEventListener("keydown", (event) => safe(() => keyForShortcut(event, false)));

/* The overview */

function openShortcuts() {
    if (presentDialog()) return false;
    const dialog = freshDialog("shortcuts_dialog", {kind: "shortcuts", title: "Keyboard shortcuts", what: "overview"}, [
        made("p", {class: "quiet", text: "Press the button beside an action, then the new keys. Escape leaves it as it is, Backspace gives it none."}),
        made("div", {class: "shortcut-lists"}), made("div", {class: "dialog-buttons"}, made("button", {type: "button", class: "dialog-button", text: "Back to the usual keys", onclick: () => {
            localRemove(SHORTCUTS_KEPT);
            drawShortcuts(dialog);
        }}))]);
    drawShortcuts(dialog);
    return true;
}

function drawShortcuts(dialog) {
    const rows = SHORTCUTS.map((shortcut) => made("li", {}, made("span", {text: shortcut.label}), made("button", {type: "button", class: "shortcut-keys", "data-id": shortcut.id,
        "aria-label": "Other keys for: " + shortcut.label, text: keysOfShortcut(shortcut) || "none", onclick: (event) => waitForKeys(dialog, shortcut, event.currentTarget)})));
    const fixed = FIXED_KEYS.map(([where, keys]) => made("section", {}, made("h3", {text: where}), made("ul", {}, ...keys.map(([combination, what]) => made("li", {}, made("span", {text: what}), made("kbd", {text: combination}))))));
    dialog.querySelector(".shortcut-lists").replaceChildren(made("section", {}, made("h3", {text: "Everywhere"}), made("ul", {}, ...rows)), ...fixed);
}

function waitForKeys(dialog, shortcut, button) {
    dialog.dataset.waits = shortcut.id;
    button.textContent = "press keys…";
    const take = (event) => {
        if (["Control", "Alt", "Shift", "Meta"].includes(event.key)) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        window.removeEventListener("keydown", take, true);
        if (event.key !== "Escape") giveKeys(shortcut, event.key === "Backspace" ? "" : keysOfEvent(event));
        setTimeout(() => { delete dialog.dataset.waits; }, 0);
        drawShortcuts(dialog);
        dialog.querySelector('[data-id="' + shortcut.id + '"]').focus();
    };
    window.addEventListener("keydown", take, true);
}

/** Keys belong to one action: the one that had them before has none then, and it is said. */
function giveKeys(shortcut, keys) {
    const kept = keptShortcuts();
    const former = keys && SHORTCUTS.find((other) => other.id !== shortcut.id && keysOfShortcut(other).split(", ").includes(keys));
    if (former) {
        kept[former.id] = "";
        showMessage(keys + " was “" + former.label + "”, which has no keys now.");
    }
    kept[shortcut.id] = keys;
    localSet(SHORTCUTS_KEPT, JSON.stringify(kept));
}

listen("shortcuts_button", openShortcuts);
