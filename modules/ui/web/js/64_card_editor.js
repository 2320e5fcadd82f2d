/* The editor of a card, and what a file says about itself. All of it is text of strangers: it goes in as text. */
"use strict";

const CARD_NOTES = {
    "description": {label: "Description", lines: 2},
    "sd version": {label: "Stable Diffusion version", choices: ["", "SD1", "SD2", "SDXL", "Unknown"]},
    "activation text": {label: "Activation text", lines: 2, hint: "Goes into the prompt with the network"},
    "preferred weight": {label: "Preferred weight", type: "number", hint: "Empty: the default of the settings"},
    "negative text": {label: "Negative prompt", lines: 2, hint: "Goes into the negative prompt with the network"},
    "vae": {label: "Preferred VAE", choices: "vae"},
    "notes": {label: "Notes", lines: 4},
};

function cardDialog(id, title) {
    let dialog = byId(id);
    if (!dialog) {
        dialog = made("div", {id, class: "popup-dialog card-dialog"});
        gradioApp().append(dialog);
    }
    dialog.replaceChildren(made("div", {class: "popup-dialog-inner"},
        made("header", {}, made("h2", {text: title}),
            made("button", {type: "button", class: "plain easel-icon icon-close", "aria-label": "Close", text: "✕", onclick: () => closeDialog(dialog)})),
        made("div", {class: "card-dialog-body", text: "Reading the file…"})));
    openDialog(dialog, title);
    return dialog;
}

function cardQuery(page, card) {
    return "?" + new URLSearchParams({kind: page.kind, key: card.key});
}

/* Metadata */

async function showCardMetadata(page, card) {
    const body = cardDialog("card_metadata", "Metadata of " + card.name).querySelector(".card-dialog-body");
    try {
        const {metadata} = await callServer("/internal/cards/metadata" + cardQuery(page, card));
        const isEmpty = !Object.keys(metadata).length;
        body.replaceChildren(isEmpty ? made("p", {text: "The file says nothing about itself."}) : made("pre", {class: "card-metadata", tabindex: "0", text: JSON.stringify(metadata, null, 2)}));
    } catch (error) {
        body.replaceChildren(made("p", {class: "error", text: error.message}));
    }
}

/* Editor */

async function editCard(page, card) {
    const dialog = cardDialog("card_editor", card.name);
    const body = dialog.querySelector(".card-dialog-body");
    try {
        const details = await callServer("/internal/cards/details" + cardQuery(page, card));
        safe(() => fillCardEditor(dialog, page, card, details));
    } catch (error) {
        body.replaceChildren(made("p", {class: "error", text: error.message}));
    }
}

function fillCardEditor(dialog, page, card, details) {
    const form = made("form", {class: "card-form"});
    for (const [key, text] of Object.entries(details.notes)) form.append(cardNote(key, text, details));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        saveCardNotes(dialog, page, card, form);
    });
    const preview = made("div", {class: "card-editor-preview"}, card.preview ? cardPicture(page, card) : made("span", {class: "card-initial", text: card.name.slice(0, 1).toUpperCase()}));
    const said = made("p", {class: "card-editor-said", role: "status"});
    form.append(said, made("div", {class: "card-editor-buttons"},
        made("button", {type: "button", class: "dialog-button", text: "Cancel", onclick: () => closeDialog(dialog)}),
        made("button", {type: "submit", class: "dialog-button primary", text: "Save"})));
    dialog.querySelector(".card-dialog-body").replaceChildren(
        details.problem ? made("p", {class: "error", text: details.problem}) : "",
        made("div", {class: "card-editor"}, made("aside", {}, preview,
            made("button", {type: "button", class: "dialog-button", id: "card_replace_preview", text: "Replace preview", title: "Use the selected picture of the gallery",
                onclick: () => replaceCardPreview(dialog, page, card, said)}),
            cardFacts(details.facts)), form),
        cardTags(details.tags, form));
}

function cardNote(key, text, details) {
    const row = CARD_NOTES[key] || {label: key};
    const choices = typeof row.choices === "string" ? details.choices[row.choices] || [] : row.choices;
    const named = {name: key, "aria-label": row.label};
    let control;
    if (choices) {
        const all = choices.includes(text) || (!text && choices.includes("Automatic")) ? choices : [text, ...choices];
        control = made("select", named, ...all.map((value) => made("option", {value, text: value || "Not set", selected: value === text})));
    } else if (row.lines) {
        control = made("textarea", {...named, rows: row.lines, maxlength: 20000});
        control.value = text;
    } else {
        control = made("input", {...named, type: row.type || "text", step: "0.05", value: text});
    }
    return made("label", {}, made("span", {text: row.label}), control, row.hint ? made("small", {text: row.hint}) : null);
}

function cardFacts(facts) {
    return made("dl", {}, ...facts.flatMap(([label, text]) => [made("dt", {text: label}), made("dd", {text})]));
}

/** Tags of the training: a click adds one to the activation text. */
function cardTags(tags, form) {
    if (!tags.length) return "";
    const area = form.elements["activation text"];
    return made("section", {class: "card-tags"}, made("h3", {text: "Trained with"}), ...tags.map(([tag, count]) => made("button", {type: "button", class: "card-tag", disabled: !area,
        onclick: () => { area.value = area.value ? area.value + ", " + tag : tag; }}, made("span", {text: tag}), made("small", {text: String(count)}))));
}

async function saveCardNotes(dialog, page, card, form) {
    const notes = Object.fromEntries(Array.from(form.elements).filter((control) => control.name).map((control) => [control.name, control.value]));
    if (notes.vae === "Automatic") notes.vae = "";
    try {
        await callServer("/internal/cards/notes", {kind: page.kind, key: card.key, notes});
        closeDialog(dialog);
        await loadCards(page, false);
    } catch (error) {
        form.querySelector(".card-editor-said").textContent = error.message;
    }
}

async function replaceCardPreview(dialog, page, card, said) {
    const id = shownTask(page.tab);
    if (!id) {
        said.textContent = "There is no picture in the gallery of " + page.tab + " yet.";
        return;
    }
    const button = selectedThumbnail(page.tab);
    try {
        await callServer("/internal/cards/preview", {kind: page.kind, key: card.key, id, index: Math.max(0, button)});
        await loadCards(page, false);
        const renewed = page.cards.find((other) => other.key === card.key) || card;
        dialog.querySelector(".card-editor-preview").replaceChildren(cardPicture(page, renewed));
        said.textContent = "The preview was replaced.";
    } catch (error) {
        said.textContent = error.message;
    }
}

/** Number of the chosen picture of a tab's gallery, also while another inner tab is shown; 0 when none is. */
function selectedThumbnail(tab) {
    const gallery = galleryOf(tab);
    const buttons = gallery ? Array.from((gallery.querySelector(".preview") || gallery).querySelectorAll(".thumbnail-item")) : [];
    return Math.max(0, buttons.findIndex((button) => button.classList.contains("selected")));
}
