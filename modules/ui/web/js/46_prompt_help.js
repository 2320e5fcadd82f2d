/* Names offered while a prompt is typed. Nothing is chosen until Tab, an arrow key or the mouse chooses it, so that typing goes on as ever. */
"use strict";

const COMPLETION_PAUSE_MS = 120;

/** The open list: the box that it belongs to, what is offered, which one is chosen (-1: none). */
var completion = {box: null, typed: 0, offers: [], chosen: -1, asked: 0, timer: null};

document.addEventListener("input", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLTextAreaElement) || !box.closest(".prompt") || opts.prompt_completion === false) return;
    if (event.isComposing || !event.inputType || !/^(insertText|insertCompositionText|deleteContent)/.test(event.inputType)) return closeCompletion();
    clearTimeout(completion.timer);
    completion.timer = setTimeout(() => askForCompletion(box).catch((error) => console.warn("nothing is offered", error)), COMPLETION_PAUSE_MS);
});
document.addEventListener("focusout", (event) => { if (event.target === completion.box) closeCompletion(); });
document.addEventListener("scroll", () => closeCompletion(), true);
document.addEventListener("pointerdown", (event) => { if (!event.target.closest("#prompt_completion")) closeCompletion(); });

async function askForCompletion(box) {
    const question = ++completion.asked;
    const at = box.selectionStart;
    if (at !== box.selectionEnd || document.activeElement !== box) return closeCompletion();
    const answer = await callServer("/internal/prompt-help/complete", {before: box.value.slice(Math.max(0, at - 500), at)});
    if (question !== completion.asked || box.selectionStart !== at || document.activeElement !== box) return;
    const typed = box.value.slice(at - answer.typed, at);
    const isWritten = (offer) => offer.insert && offer.insert === typed.trim();
    if (!answer.offers.length || answer.offers.every(isWritten)) return closeCompletion();
    Object.assign(completion, {box, typed: answer.typed, offers: answer.offers, chosen: -1});
    drawCompletion();
}

function closeCompletion() {
    clearTimeout(completion.timer);
    completion.asked++;
    completion.offers = [];
    const list = byId("prompt_completion");
    if (list) list.remove();
    if (completion.box) {
        completion.box.removeAttribute("aria-activedescendant");
        completion.box.removeAttribute("aria-controls");
    }
}

function drawCompletion() {
    const {box, offers} = completion;
    let list = byId("prompt_completion");
    if (!list) list = document.body.appendChild(made("ul", {id: "prompt_completion", "aria-label": "Names that fit"}));
    list.setAttribute("role", "listbox");
    list.replaceChildren(...offers.map((offer, i) => {
        const row = made("li", {id: "prompt_offer_" + i, role: "option", "data-kind": offer.kind},
            made("span", {class: "name", text: offer.name}), made("span", {class: "detail", text: offer.detail}), made("span", {class: "kind", text: offer.kind}));
        row.addEventListener("mousedown", (event) => {
            event.preventDefault(); // the box keeps the focus
            safe(() => takeOffer(i));
        });
        return row;
    }));
    box.setAttribute("aria-controls", "prompt_completion");
    placeCompletion(list, box);
}

/** Puts the list under the line of the cursor, or above it where there is no room. */
function placeCompletion(list, box) {
    const caret = caretOf(box, box.selectionStart - completion.typed);
    const frame = box.getBoundingClientRect();
    const left = Math.min(frame.left + caret.left, window.innerWidth - list.offsetWidth - 8);
    const below = frame.top + Math.min(caret.top + caret.height, frame.height) + 4;
    const above = frame.top + Math.max(0, caret.top) - list.offsetHeight - 4;
    const fits = below + list.offsetHeight < window.innerHeight || above < 0;
    Object.assign(list.style, {left: Math.max(8, left) + "px", top: (fits ? below : above) + "px"});
}

/** Where a place of the text is seen inside the box: {left, top, height} in pixels. */
function caretOf(box, at) {
    const style = getComputedStyle(box);
    const copied = ["fontFamily", "fontSize", "fontWeight", "lineHeight", "letterSpacing", "paddingTop", "paddingLeft", "paddingRight",
        "borderTopWidth", "borderLeftWidth", "tabSize"];
    const mirror = made("div", {"aria-hidden": "true"});
    Object.assign(mirror.style, Object.fromEntries(copied.map((name) => [name, style[name]])), {
        position: "absolute", visibility: "hidden", whiteSpace: "pre-wrap", overflowWrap: "break-word", boxSizing: "border-box", width: box.clientWidth + "px", borderStyle: "solid"});
    const mark = made("span", {text: "\u200b"});
    mirror.append(box.value.slice(0, at), mark);
    document.body.append(mirror);
    const place = {left: mark.offsetLeft, top: mark.offsetTop - box.scrollTop, height: mark.offsetHeight};
    mirror.remove();
    return place;
}

function chooseOffer(place) {
    const rows = Array.from(byId("prompt_completion").children);
    completion.chosen = (place + rows.length) % rows.length;
    rows.forEach((row, i) => row.setAttribute("aria-selected", String(i === completion.chosen)));
    rows[completion.chosen].scrollIntoView({block: "nearest"});
    completion.box.setAttribute("aria-activedescendant", rows[completion.chosen].id);
}

/** Writes an offer in the place of what was typed of it; a style goes to the styles of the tab. */
function takeOffer(place) {
    const {box, typed} = completion;
    const offer = completion.offers[place];
    closeCompletion();
    const end = box.selectionStart;
    const rest = box.value.slice(end);
    const insert = offer.kind === "style" ? "" : offer.insert + (["tag", "embedding"].includes(offer.kind) && !/^\s*[,)\]|:]/.test(rest) ? ", " : "");
    const start = end - typed;
    applyEdit(box, {start, end, insert, selectionStart: start + insert.length, selectionEnd: start + insert.length});
    if (offer.kind === "style") addStyle(box.closest(".prompt").id.split("_")[0], offer.name).catch((error) => showMessage(error.message, "error"));
}

async function addStyle(tab, name) {
    const memory = formMemories[tab];
    const {styles} = await memory.read();
    if (!(styles || []).includes(name)) await memory.take({styles: [...(styles || []), name]});
}

/* On the window, ahead of all other keys of the page: Escape closes the list and does nothing else. Keys with Ctrl or Alt go on. */
window.addEventListener("keydown", (event) => safe(() => {
    if (!completion.offers.length || event.target !== completion.box || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return closeCompletion();
    const {chosen, offers} = completion;
    const action = {
        Escape: closeCompletion,
        ArrowDown: () => chooseOffer(chosen + 1),
        ArrowUp: () => chooseOffer(chosen < 0 ? offers.length - 1 : chosen - 1),
        Tab: event.shiftKey ? null : () => takeOffer(Math.max(0, chosen)),
        Enter: chosen < 0 ? null : () => takeOffer(chosen),
    }[event.key];
    if (!action) return ["Enter", "ArrowLeft", "ArrowRight", "Home", "End", "Tab"].includes(event.key) && closeCompletion();
    event.preventDefault();
    event.stopPropagation();
    action();
}), true);
