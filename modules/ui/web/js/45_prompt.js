/* The prompt boxes: token counters, bracket check, clearing. */
"use strict";

var activePromptTextarea = {};

/** One per prompt box; `seen` is the text and the styles that were counted last. */
var tokenCounters = GENERATING_TABS.flatMap((tab) => [
    {tab, box: "prompt", id: tab + "_token_counter", isPositive: true, seen: null, timer: null},
    {tab, box: "neg_prompt", id: tab + "_negative_token_counter", isPositive: false, seen: null, timer: null},
]);

onUiLoaded(noticePrompts);
onAfterUiUpdate(noticePrompts); // text that gradio puts in (paste, styles) makes no input event
document.addEventListener("input", (event) => { if (event.target.closest(".prompt, [id$=_steps]")) noticePrompts(); });
document.addEventListener("focusin", (event) => {
    const box = event.target.matches("textarea") && event.target.closest(".prompt");
    if (box) activePromptTextarea[box.id.split("_")[0]] = event.target;
});

/** Counts again where text or styles have changed, once nothing has changed for 400 ms. */
function noticePrompts() {
    if (opts.disable_token_counters) return;
    for (const counter of tokenCounters) {
        const box = textareaOf(counter.tab + "_" + counter.box);
        if (!box) continue;
        const element = byId(counter.id) || addTokenCounter(counter, byId(counter.tab + "_" + counter.box));
        const present = JSON.stringify([box.value, selectedStyles(counter.tab), stepsOf(counter.tab)]);
        if (present === counter.seen) continue;
        counter.seen = present;
        checkBrackets(box.value, element);
        clearTimeout(counter.timer);
        counter.timer = setTimeout(() => countTokens(counter, box), 400);
    }
}

function addTokenCounter(counter, holder) {
    const element = made("div", {id: counter.id, class: "token-counter", role: "status"}, made("span", {text: "0/75"}));
    holder.append(element);
    counter.seen = null;
    return element;
}

function stepsOf(tab) {
    return numberIn(tab + "_steps") || 20;
}

/* Names under which extensions ask for a new count; all of them count where something changed. */

function update_txt2img_tokens() {
    noticePrompts();
    return Array.from(arguments);
}

var update_img2img_tokens = update_txt2img_tokens;
var recalculate_prompts_txt2img = update_txt2img_tokens;
var recalculate_prompts_img2img = update_txt2img_tokens;

/** Asks the server, since only it has the vocabulary; the answer to an outdated question is dropped. */
async function countTokens(counter, box) {
    const text = box.value;
    const styles = selectedStyles(counter.tab);
    const question = counter.seen;
    if (!text && !styles.length) {
        showCount(byId(counter.id), 0, 75);
        return;
    }
    try {
        const answer = await callServer("/internal/token-count", {text, steps: stepsOf(counter.tab), styles, is_positive: counter.isPositive});
        if (counter.seen === question) showCount(byId(counter.id), answer.count, answer.limit);
    } catch (error) {
        console.warn("tokens were not counted", error);
        byId(counter.id).firstChild.textContent = "?";
    }
}

function showCount(counter, count, limit) {
    counter.firstChild.textContent = count + "/" + limit;
    counter.setAttribute("aria-label", count + " of " + limit + " tokens");
}

/** Names of the styles that are chosen in the multiple dropdown of the tab. */
function selectedStyles(tab) {
    return Array.from(document.querySelectorAll("#" + tab + "_styles .token"), (token) => (token.querySelector("span") || token).textContent.trim());
}

/** Colours the counter when brackets do not match. */
function checkBrackets(text, counter) {
    const pairs = [["(", ")", "round"], ["[", "]", "square"], ["{", "}", "curly"]];
    const plain = text.replace(/\\[\\()[\]{}]/g, "");
    const wrong = pairs.filter(([open, close]) => plain.split(open).length !== plain.split(close).length);
    counter.classList.toggle("error", wrong.length > 0);
    counter.title = wrong.map(([open, close, name]) => "The numbers of " + name + " brackets " + open + " and " + close + " differ.").join("\n");
}

function confirmClearPrompt(prompt, negative) {
    if ((prompt || negative) && !confirm("Clear both prompt boxes?")) return [prompt, negative];
    return ["", ""];
}
