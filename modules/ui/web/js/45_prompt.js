/* The prompt boxes: token counters, bracket check, clearing. */
"use strict";

var activePromptTextarea = {};

function setUpPromptBoxes() {
    for (const tab of ["txt2img"]) {
        addTokenCounter(tab, "prompt", "token_counter", true);
        addTokenCounter(tab, "neg_prompt", "negative_token_counter", false);
    }
}

onUiLoaded(setUpPromptBoxes);

function addTokenCounter(tab, boxName, counterName, isPositive) {
    const holder = byId(tab + "_" + boxName);
    const box = textareaOf(tab + "_" + boxName);
    if (!holder || !box || byId(tab + "_" + counterName)) return;
    const counter = made("div", {id: tab + "_" + counterName, class: "token-counter", role: "status"}, made("span", {text: "0/75"}));
    holder.append(counter);
    const count = onEdit(counter.id, box, 400, () => countTokens(tab, box, counter, isPositive));
    box.addEventListener("input", () => checkBrackets(box.value, counter));
    box.addEventListener("focus", () => { activePromptTextarea[tab] = box; });
    // Text that gradio puts in (paste, styles) makes no input event.
    let last = box.value;
    onAfterUiUpdate(() => {
        if (box.value === last) return;
        last = box.value;
        checkBrackets(last, counter);
        count();
    });
    const styles = byId(tab + "_styles");
    if (styles) new MutationObserver(count).observe(styles, {childList: true, subtree: true});
    if (box.value) count();
    updaters[tab + counterName] = count;
}

var updaters = {};

function update_txt2img_tokens() {
    for (const name of ["token_counter", "negative_token_counter"]) if (updaters["txt2img" + name]) updaters["txt2img" + name]();
    return Array.from(arguments);
}

function recalculate_prompts_txt2img() {
    return update_txt2img_tokens.apply(null, arguments);
}

/** Asks the server, since only it has the vocabulary; the answer to an outdated question is dropped. */
async function countTokens(tab, box, counter, isPositive) {
    const text = box.value;
    const steps = Number((document.querySelector("#" + tab + "_steps input[type=number]") || {}).value) || 20;
    if (!text && !selectedStyles(tab).length) {
        showCount(counter, 0, 75);
        return;
    }
    try {
        const answer = await callServer("/internal/token-count", {text, steps, styles: selectedStyles(tab), is_positive: isPositive});
        if (box.value === text) showCount(counter, answer.count, answer.limit);
    } catch (error) {
        counter.title = error.message;
        counter.firstChild.textContent = "?";
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
