/* The page's ground: access to the app, callbacks when it changes, small tools. All names are global: extensions call them. */
"use strict";

/** The kinds of jobs that have a tab of their own; the kind is the tab's name. */
const GENERATING_TABS = ["txt2img", "img2img"];
/** These and the tabs without prompts whose jobs make pictures too. */
const RESULT_TABS = [...GENERATING_TABS, "extras"];

var uiLoadedCallbacks = [];
var uiUpdateCallbacks = [];
var uiAfterUpdateCallbacks = [];
var uiTabChangeCallbacks = [];
var optionsChangedCallbacks = [];
var uiIsLoaded = false;
var uiCurrentTab = null;
var uiAfterUpdateTimeout = null;

function gradioApp() {
    const app = document.querySelector("gradio-app") || document;
    if (!app.getElementById) app.getElementById = (id) => document.getElementById(id); // extensions ask it as they ask a document
    return app;
}

function byId(id) {
    return document.getElementById(id);
}

/** Runs f and shows what it throws, so that a failing handler is never silent. Returns its result or `otherwise`. */
function safe(f, otherwise) {
    try {
        return f();
    } catch (error) {
        console.error(error);
        showMessage("Something in the page failed: " + error.message, "error");
        return otherwise;
    }
}

function executeCallbacks(queue, argument) {
    for (const callback of queue) {
        try {
            callback(argument);
        } catch (error) {
            console.error("error running callback", callback, error);
        }
    }
}

function onUiLoaded(callback) {
    if (uiIsLoaded) executeCallbacks([callback]);
    else uiLoadedCallbacks.push(callback);
}

function onUiUpdate(callback) {
    uiUpdateCallbacks.push(callback);
}

function onAfterUiUpdate(callback) {
    uiAfterUpdateCallbacks.push(callback);
}

function onUiTabChange(callback) {
    uiTabChangeCallbacks.push(callback);
}

function onOptionsChanged(callback) {
    optionsChangedCallbacks.push(callback);
}

function scheduleAfterUiUpdate() {
    clearTimeout(uiAfterUpdateTimeout);
    uiAfterUpdateTimeout = setTimeout(() => executeCallbacks(uiAfterUpdateCallbacks), 200);
}

function noticePageChanges(records) {
    if (!uiIsLoaded && document.querySelector("#txt2img_prompt textarea") && byId("footer") && pageIsWhole()) {
        uiIsLoaded = true;
        executeCallbacks(uiLoadedCallbacks);
    }
    if (!uiIsLoaded) return;
    executeCallbacks(uiUpdateCallbacks, records);
    scheduleAfterUiUpdate();
    const tab = get_uiCurrentTab();
    if (tab && tab.id !== uiCurrentTab) {
        uiCurrentTab = tab.id;
        executeCallbacks(uiTabChangeCallbacks);
    }
}

new MutationObserver(noticePageChanges).observe(document, {childList: true, subtree: true, attributes: true, attributeFilter: ["class", "aria-selected"]});

/* Tabs */

function get_uiCurrentTab() {
    return document.querySelector('#tabs [role="tab"][aria-selected="true"]:not([aria-hidden="true"])');
}

function get_uiCurrentTabContent() {
    return Array.from(document.querySelectorAll('#tabs > .tabitem[id^="tab_"]')).find(uiElementIsVisible) || null;
}

/** "txt2img" on the txt2img tab, and so on; null elsewhere. */
function currentGeneratingTab() {
    const name = currentResultTab();
    return GENERATING_TABS.includes(name) ? name : null;
}

/** The same, also for tabs without prompts. */
function currentResultTab() {
    const content = get_uiCurrentTabContent();
    const name = content ? content.id.replace(/^tab_/, "") : "";
    return byId(name + "_generate") ? name : null;
}

function get_tab_index(tabId) {
    const buttons = Array.from(document.querySelectorAll("#" + CSS.escape(tabId) + ' [role="tab"]'));
    return Math.max(0, buttons.findIndex((button) => button.getAttribute("aria-selected") === "true"));
}

function switch_to_tab(id) {
    const button = byId("tab_" + id + "-button");
    if (button) button.click();
}

/** Resolves with what `find` gives as soon as that is something; gradio makes the content of a tab when it is first opened. */
async function whenInPage(find) {
    for (let tries = 0; tries < 400; tries++) {
        const found = find();
        if (found) return found;
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("A part of the page did not open.");
}

/** Presses a hidden button of gradio's, through which browser scripts change its values. */
function pressHidden(id) {
    const element = byId(id);
    if (element) (element.matches("button") ? element : element.querySelector("button")).click();
}

const PRESS_ANSWERED_MS = 30000;
var pressesWaiting = {}; // id of a button -> those who wait for what its press does

/** Presses a button of gradio's and resolves when what it does is done: when pressAnswered is called for it. */
function answeredPress(id) {
    return new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error("The server did not answer.")), PRESS_ANSWERED_MS);
        (pressesWaiting[id] = pressesWaiting[id] || []).push(resolve);
        pressHidden(id);
    });
}

function pressAnswered(id) {
    (pressesWaiting[id] || []).splice(0).forEach((resolve) => resolve());
}

function switch_to_txt2img() {
    switch_to_tab("txt2img");
    return Array.from(arguments);
}

/* Elements */

function uiElementIsVisible(element) {
    return Boolean(element && element.offsetParent !== null);
}

function uiElementInSight(element) {
    const box = element.getBoundingClientRect();
    return box.bottom > 0 && box.top < window.innerHeight;
}

/** Makes an element: attributes whose value is null are left out, `text` is put in as text, never as HTML. */
function made(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
        if (value === null || value === undefined || value === false) continue;
        if (name === "text") element.textContent = value;
        else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter(Boolean));
    return element;
}

function escapeHtml(text) {
    return String(text).replace(/[&<>"']/g, (sign) => "&#" + sign.charCodeAt(0) + ";");
}

/** Tells gradio that the value of an input or textarea was changed by a script. */
function updateInput(target) {
    const event = new Event("input", {bubbles: true});
    Object.defineProperty(event, "target", {value: target});
    target.dispatchEvent(event);
}

function textareaOf(id) {
    return document.querySelector("#" + CSS.escape(id) + " textarea, #" + CSS.escape(id) + " input");
}

/** The number in a control of gradio's, NaN where it is not in the page. */
function numberIn(id) {
    const input = document.querySelector("#" + id + " input[type=number]");
    return input ? Number(input.value) : NaN;
}

/** The values by the names of their fields, which come in the same order. */
function paired(names, values) {
    return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** Writes a short text into an element of gradio's, in a child of ours that gradio leaves alone. */
function sayIn(id, text) {
    const place = byId(id);
    if (!place) return;
    const said = place.querySelector(".said") || place.appendChild(made("span", {class: "said"}));
    if (said.textContent !== text) said.textContent = text;
}

/** Calls f once the element has not been edited for `delay` ms. */
function onEdit(editId, element, delay, f) {
    let timer = null;
    element.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(() => safe(f), delay);
    });
    return () => {
        clearTimeout(timer);
        safe(f);
    };
}

/* Clicks: gradio may replace its elements at any time, so listeners sit on the document and know elements by id */

var clickActions = {};

function listen(id, action) {
    clickActions[id] = action;
}

document.addEventListener("click", (event) => {
    for (let element = event.target; element && element !== document; element = element.parentNode) {
        const action = element.id && clickActions[element.id];
        if (!action) continue;
        Promise.resolve(safe(action)).catch((error) => showMessage(error.message, "error"));
        return;
    }
});

/* Storage: a browser that forbids it costs convenience, not function */

function localSet(key, value) {
    try {
        localStorage.setItem(key, value);
    } catch (error) {
        console.warn("not stored", key, error);
    }
}

function localGet(key, otherwise) {
    try {
        return localStorage.getItem(key) ?? otherwise;
    } catch {
        return otherwise;
    }
}

function localRemove(key) {
    try {
        localStorage.removeItem(key);
    } catch (error) {
        console.warn("not removed", key, error);
    }
}

/* Requests */

/** The address of a path of the server ("/internal/..."), which may itself be served below a path. */
function addressOf(path) {
    return document.baseURI.replace(/\/+$/, "") + path;
}

/** Sends data (FormData, or what becomes JSON; nothing: GET) and gives the server's JSON. Throws an Error with the server's sentence. */
async function callServer(path, data) {
    const sent = data instanceof FormData ? {body: data} : {headers: {"content-type": "application/json"}, body: JSON.stringify(data)};
    const answer = await fetch(addressOf(path), {cache: "no-store", ...(data === undefined ? {} : {method: "POST", ...sent})});
    const body = await answer.json().catch(() => ({}));
    if (answer.ok) return body;
    const detail = typeof body.detail === "string" ? body.detail : "The server answered with status " + answer.status + ".";
    throw Object.assign(new Error(detail), {status: answer.status});
}

function request(url, data, handler, errorHandler) {
    fetch(url, {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(data)})
        .then((answer) => (answer.ok ? answer.json().then(handler) : errorHandler()), () => errorHandler());
}

function requestGet(url, data, handler, errorHandler) {
    const query = new URLSearchParams(data).toString();
    fetch(query ? url + "?" + query : url)
        .then((answer) => (answer.ok ? answer.json().then(handler) : errorHandler()), () => errorHandler());
}

/* Messages */

function showMessage(text, kind) {
    let box = byId("easel_messages");
    if (!box) {
        box = made("div", {id: "easel_messages", role: "status", "aria-live": "polite"});
        document.body.append(box);
    }
    const message = made("div", {class: "message " + (kind || "note")}, made("span", {text: text}));
    message.append(made("button", {type: "button", class: "plain easel-icon icon-close", "aria-label": "Close", text: "✕", onclick: () => message.remove()}));
    box.append(message);
    if (kind !== "error") setTimeout(() => message.remove(), 6000);
    return message;
}

function formatTime(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    const two = (number) => String(number).padStart(2, "0");
    if (whole >= 3600) return two(Math.floor(whole / 3600)) + ":" + two(Math.floor(whole / 60) % 60) + ":" + two(whole % 60);
    return two(Math.floor(whole / 60)) + ":" + two(whole % 60);
}
