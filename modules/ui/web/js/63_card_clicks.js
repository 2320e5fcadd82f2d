/* What a click on a card does: a network goes into the prompt or out of it, a checkpoint is chosen. */
"use strict";

var desiredCheckpointName = null;

function useCard(page, card) {
    if (page.kind === "checkpoints") {
        if (card.choose) selectCheckpoint(card.choose);
        else showMessage(card.name + " cannot be used: " + card.problem, "error");
        return;
    }
    if (card.problem && !cardIsInPrompt(page, card)) {
        showMessage(card.name + " cannot be used: " + card.problem, "error");
        return;
    }
    const texts = cardTexts(page.kind, card);
    cardClicked(page.tab, texts.positive, texts.negative, page.kind === "textual_inversion");
    markCardsInPrompt(page);
}

/** What a card puts into the prompts. */
function cardTexts(kind, card) {
    if (kind === "textual_inversion") return {positive: card.name, negative: ""};
    const strength = Number(card.weight) || opts.extra_networks_default_multiplier || 1;
    const tag = kind === "hypernetworks" ? "hypernet" : "lora";
    const words = kind === "lora" && card.activation ? " " + card.activation : "";
    return {positive: "<" + tag + ":" + card.name + ":" + strength + ">" + words, negative: (kind === "lora" && card.negative) || ""};
}

/** Puts a text into a prompt of the tab, or takes it out where it stands. Extensions call this too. */
function cardClicked(tab, textToAdd, textToAddNegative, allowNegativePrompt) {
    const positive = textareaOf(tab + "_prompt");
    if (textToAddNegative) {
        toggleInPrompt(textToAdd, positive);
        toggleInPrompt(textToAddNegative, textareaOf(tab + "_neg_prompt"), true);
        return;
    }
    const active = activePromptTextarea[tab];
    toggleInPrompt(textToAdd, allowNegativePrompt && active && active.isConnected ? active : positive);
}

function toggleInPrompt(text, area, isNegative) {
    const separator = opts.extra_networks_add_text_separator ?? " ";
    const without = promptWithout(text, area.value, separator, isNegative);
    const joined = area.value ? area.value.replace(/\s+$/, "") + separator + text : text;
    area.value = without === null ? joined : without;
    updateInput(area);
}

/** The prompt without a text that a card put there, or null where it is not in it. A tag is known by its name, whatever its weight. */
function promptWithout(text, prompt, separator, isNegative) {
    const tag = isNegative ? null : text.match(/^<(\w+):([^:>]+)(?::[^>]*)?>(.*)$/s);
    if (!tag) {
        const found = wordIn(prompt, text);
        return found < 0 ? null : tidied(prompt.slice(0, found), prompt.slice(found + text.length), separator);
    }
    const found = tagIn(prompt, tag[1], tag[2]);
    if (!found) return null;
    let rest = prompt.slice(found.index + found[0].length);
    const words = tag[3].trim();
    if (words && rest.trimStart().startsWith(words)) rest = rest.trimStart().slice(words.length);
    return tidied(prompt.slice(0, found.index), rest, separator);
}

function tagIn(prompt, kind, name) {
    return prompt.match(new RegExp("<" + kind + ":" + escapeRegExp(name) + "(?::[^>]*)?>"));
}

/** Where a text stands as words of its own, and not as a name in a tag; -1 where it does not. */
function wordIn(prompt, text) {
    const plain = text.includes("<") ? prompt : prompt.replace(/<[^>]*>/g, (tag) => "\0".repeat(tag.length));
    const found = plain.match(new RegExp("(?<![\\p{L}\\p{N}_-])" + escapeRegExp(text) + "(?![\\p{L}\\p{N}_-])", "u"));
    return found ? found.index : -1;
}

function escapeRegExp(text) {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function tidied(before, after, separator) {
    const start = before.endsWith(separator) ? before.slice(0, before.length - separator.length) : before.replace(/ +$/, "");
    const end = after.startsWith(separator) && !start ? after.slice(separator.length) : after;
    return start ? start + end : end.trimStart();
}

/* Cards whose network is in the prompts are marked */

function cardIsInPrompt(page, card) {
    const prompts = ["_prompt", "_neg_prompt"].map((box) => (textareaOf(page.tab + box) || {}).value || "");
    if (page.kind === "lora") return Boolean(tagIn(prompts[0], "(?:lora|lyco)", card.name));
    if (page.kind === "hypernetworks") return Boolean(tagIn(prompts[0], "hypernet", card.name));
    if (page.kind === "textual_inversion") return prompts.some((prompt) => wordIn(prompt, card.name) >= 0);
    return Boolean(card.choose) && checkpointIsChosen(card);
}

function checkpointIsChosen(card) {
    const chosen = (document.querySelector("#setting_sd_model_checkpoint input") || {}).value || "";
    const names = [card.choose, ...(opts.sd_checkpoint_dropdown_use_short ? [card.choose.split("/").pop()] : [])];
    return names.some((name) => chosen === name || chosen.startsWith(name + " ["));
}

function markCardsInPrompt(page) {
    for (const [key, node] of page.nodes) {
        const card = page.byKey && page.byKey.get(key);
        if (!card) continue;
        const isIn = cardIsInPrompt(page, card);
        if (node.classList.contains("in-prompt") === isIn) continue;
        node.classList.toggle("in-prompt", isIn);
        node.querySelector(".card-use").setAttribute("aria-pressed", String(isIn));
    }
}

document.addEventListener("input", (event) => {
    const page = event.target.closest && event.target.closest(".prompt") && visibleCardPage();
    if (page) markCardsInPrompt(page);
});

/* Checkpoints */

/** Chooses a checkpoint by its title or name, as its dropdown does. Extensions call this too. */
function selectCheckpoint(name) {
    desiredCheckpointName = name;
    pressHidden("change_checkpoint");
}

/** What the hidden button sends. */
function checkpointToChoose() {
    const name = desiredCheckpointName;
    desiredCheckpointName = null;
    return name;
}

/* Names under which extensions know all this */

function setupExtraNetworksForTab() {}

function setupExtraNetworks() {}

function extraNetworksRequestMetadata(event, kind, name) {
    extraNetworksStop(event);
    const page = Object.values(cardPages).find((page) => page.kind === kind);
    const card = page && page.cards.find((card) => card.name === name || card.key === name);
    if (card) showCardMetadata(page, card);
}

function extraNetworksEditUserMetadata(event, tab, kind, name) {
    extraNetworksStop(event);
    const page = cardPages[tab + "_" + kind + "_page"];
    const card = page && page.cards.find((card) => card.name === name || card.key === name);
    if (card) editCard(page, card);
}

function extraNetworksStop(event) {
    if (event && event.stopPropagation) event.stopPropagation();
}
