/* What is unknown or without a partner in a prompt, said below its box; brackets put around what is selected. */
"use strict";

const PROMPT_NOTES_PAUSE_MS = 900;

/** One per prompt box; `seen` is what was checked last. */
var promptNotes = GENERATING_TABS.flatMap((tab) => [{tab, box: tab + "_prompt", isNegative: false}, {tab, box: tab + "_neg_prompt", isNegative: true}])
    .map((place) => ({...place, seen: null, timer: null}));

function lookAtPromptNotes() {
    if (opts.prompt_completion === false) return;
    for (const place of promptNotes) {
        const box = textareaOf(place.box);
        if (!box) continue;
        const present = JSON.stringify([box.value, selectedStyles(place.tab)]);
        if (present === place.seen) continue;
        place.seen = present;
        clearTimeout(place.timer);
        place.timer = setTimeout(() => checkPrompt(place, box).catch((error) => console.warn("the prompt was not checked", error)), PROMPT_NOTES_PAUSE_MS);
    }
}

onAfterUiUpdate(lookAtPromptNotes);
document.addEventListener("input", (event) => { if (event.target.closest && event.target.closest(".prompt")) lookAtPromptNotes(); });

/** Only prompts with signs that can be wrong are sent: plain words never are. */
async function checkPrompt(place, box) {
    const question = place.seen;
    const styles = selectedStyles(place.tab);
    const hasSigns = /[()[\]{}<>|\\_$]/.test(box.value) || styles.length;
    const answer = hasSigns ? await callServer("/internal/prompt-help/check", {text: box.value, styles, is_negative: place.isNegative, tab: place.tab}) : {notes: [], unmatched: []};
    if (place.seen === question) showPromptNotes(place, answer);
}

function showPromptNotes(place, {notes, unmatched}) {
    const holder = byId(place.box);
    let shown = holder.querySelector(".prompt-notes");
    if (!notes.length && !unmatched.length) {
        if (shown) shown.remove();
        return;
    }
    if (!shown) shown = holder.appendChild(made("div", {class: "prompt-notes", role: "status"}));
    shown.replaceChildren(
        ...unmatched.map(({before, sign, after}) => made("p", {}, "No partner for this bracket: …" + before, made("mark", {text: sign}), after + "…")),
        ...notes.map((text) => made("p", {text})));
}

/* A bracket typed over a selection is put around it */

const BRACKET_PARTNERS = {"(": ")", "[": "]", "{": "}", "<": ">"};

document.addEventListener("keydown", (event) => safe(() => {
    const box = event.target;
    const partner = BRACKET_PARTNERS[event.key];
    if (!partner || event.ctrlKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (!(box instanceof HTMLTextAreaElement) || !box.closest(".prompt") || box.selectionStart === box.selectionEnd) return;
    event.preventDefault();
    const {selectionStart: start, selectionEnd: end} = box;
    applyEdit(box, {start, end, insert: event.key + box.value.slice(start, end) + partner, selectionStart: start + 1, selectionEnd: end + 1});
}));
