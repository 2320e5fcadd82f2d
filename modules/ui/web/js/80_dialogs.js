/* Dialogs, the context menu, and the frame of the page: light and dark. */
"use strict";

/* Dialogs that stand in the page and are opened over it */

/** The dialog of that id with a title and a close button ("Close the `what`"); made when it is first asked for, with what `content` gives below. */
function dialogNamed(id, {kind, title, what}, content) {
    if (byId(id)) return byId(id);
    const dialog = made("div", {id, class: "popup-dialog made-dialog " + kind});
    dialog.append(made("div", {class: "popup-dialog-inner"},
        made("header", {}, made("h2", {text: title}),
            made("button", {type: "button", class: "plain easel-icon icon-close", "aria-label": "Close the " + what, text: "✕", onclick: () => closeDialog(dialog)})),
        ...content()));
    gradioApp().append(dialog);
    return dialog;
}

/** The same made anew and opened. */
function freshDialog(id, {kind = "settings-tool", title, what = "dialog"}, parts) {
    if (byId(id)) byId(id).remove();
    const dialog = dialogNamed(id, {kind, title, what}, () => parts);
    openDialog(dialog, title);
    return dialog;
}

function openDialog(dialog, name) {
    dialog.setAttribute("aria-label", name);
    dialog.dataset.open = ""; // gradio rewrites classes of its elements, not their data
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-modal", "true");
    dialog.opener = document.activeElement;
    const heading = dialog.querySelector("h2");
    heading.tabIndex = -1; // not the dropdown: it would open its list over the rest
    heading.focus();
}

function closeDialog(dialog) {
    delete dialog.dataset.open;
    if (dialog.opener) dialog.opener.focus();
}

function setUpStylesDialog(tab) {
    listen(tab + "_styles_edit_button", () => {
        openDialog(byId(tab + "_styles_dialog"), "Edit styles");
        return showStyleCards(tab);
    });
    listen(tab + "_edit_style_close", () => closeDialog(byId(tab + "_styles_dialog")));
}

function presentDialog() {
    return document.querySelector(".popup-dialog[data-open]");
}

document.addEventListener("keydown", (event) => {
    const dialog = presentDialog();
    if (!dialog) return;
    if (event.key === "Tab") trapFocus(dialog, event);
    if (event.key === "Escape" && !dialog.querySelector("[role=listbox]")) closeDialog(dialog); // a list in it is closed first
});

document.addEventListener("mousedown", (event) => {
    if (event.target === presentDialog()) closeDialog(event.target);
});

GENERATING_TABS.forEach(setUpStylesDialog);

function confirmDeleteStyle(name) {
    return name && confirm('Delete the style "' + name + '"?') ? name : "";
}

function askStyleName(name) {
    return [name, name ? prompt('New name of the style "' + name + '":', name) || "" : ""];
}

/** Shows an element over the page; extensions call it. */
function popup(contents) {
    closePopup();
    const holder = made("div", {class: "global-popup", role: "dialog", "aria-modal": "true"},
        made("button", {type: "button", class: "global-popup-close", "aria-label": "Close", text: "✕", onclick: closePopup}),
        made("div", {class: "global-popup-inner"}, contents));
    holder.addEventListener("keydown", (event) => { if (event.key === "Escape") closePopup(); });
    gradioApp().append(holder);
    holder.querySelector("button").focus();
}

function closePopup() {
    const holder = document.querySelector(".global-popup");
    if (holder) holder.remove();
}

/* Context menus: [selector, text, action] */

var contextMenuOptions = [];

function appendContextMenuOption(selector, text, action) {
    contextMenuOptions.push({id: contextMenuOptions.length + 1, selector, text, action});
    return contextMenuOptions.length;
}

function removeContextMenuOption(id) {
    contextMenuOptions = contextMenuOptions.filter((option) => option.id !== id);
}

function closeContextMenu() {
    document.querySelectorAll(".context-menu").forEach((menu) => menu.remove());
}

document.addEventListener("contextmenu", (event) => safe(() => {
    closeContextMenu();
    const options = contextMenuOptions.filter((option) => event.target.closest && event.target.closest(option.selector));
    if (!options.length) return;
    event.preventDefault();
    const menu = made("div", {class: "context-menu", role: "menu"}, ...options.map((option) => made("button", {
        type: "button", role: "menuitem", text: option.text, onclick: () => { closeContextMenu(); safe(option.action); },
    })));
    menu.addEventListener("keydown", (key) => { if (key.key === "Escape") { closeContextMenu(); key.stopPropagation(); } });
    document.body.append(menu);
    const box = event.target.getBoundingClientRect();
    const [x, y] = event.clientX || event.clientY ? [event.clientX, event.clientY] : [box.left, box.bottom];
    menu.style.left = Math.min(x, window.innerWidth - menu.offsetWidth - 8) + "px";
    menu.style.top = Math.min(y, window.innerHeight - menu.offsetHeight - 8) + "px";
    menu.firstChild.focus();
}));

document.addEventListener("click", (event) => { if (event.isTrusted && !event.target.closest(".context-menu")) closeContextMenu(); }); // not those of scripts

/* Generate forever: another job whenever none of this page is left */

var generateForeverTimer = null;

function generateForever(tab) {
    cancelGenerateForever();
    const press = () => { if (!tabTasks[tab].ids.length && !tabTasks[tab].sending) byId(tab + "_generate").click(); };
    press();
    generateForeverTimer = setInterval(press, 700);
    showMessage("Generating until it is cancelled: right-click Generate.");
}

function cancelGenerateForever() {
    clearInterval(generateForeverTimer);
    generateForeverTimer = null;
}

for (const tab of GENERATING_TABS) {
    appendContextMenuOption("#" + tab + "_generate", "Generate forever", () => generateForever(tab));
    appendContextMenuOption("#" + tab + "_generate, #" + tab + "_interrupt", "Cancel generate forever", cancelGenerateForever);
}

/* Light and dark: the address wins, then the choice of this browser, the command line, the operating system */

function wantsDark() {
    const forced = new URLSearchParams(location.search).get("__theme");
    const chosen = forced || localGet("theme", "") || (window.easelPage || {}).theme;
    return chosen === "dark" || chosen === "light" ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function applyTheme() {
    document.body.classList.toggle("dark", wantsDark());
    document.documentElement.style.colorScheme = wantsDark() ? "dark" : "light";
}

function switchTheme() {
    localSet("theme", document.body.classList.contains("dark") ? "light" : "dark");
    const address = new URL(location.href);
    if (address.searchParams.has("__theme")) {
        address.searchParams.delete("__theme");
        history.replaceState(null, "", address);
    }
    applyTheme();
}

onUiLoaded(() => {
    applyTheme();
    setTimeout(applyTheme, 300);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
    listen("theme_button", switchTheme);
});
