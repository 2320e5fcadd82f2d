/* The styles at a glance in their dialog: a card each, with the picture that shows what it does. */
"use strict";

/** The name that the next press of the hidden button brings into the editor. */
var styleToPick = null;

function pickedStyle() {
    return [styleToPick];
}

/** Fills the cards of the dialog anew. */
async function showStyleCards(tab) {
    const place = byId(tab + "_style_cards");
    if (!place) return;
    const {styles} = await callServer("/internal/styles");
    const severalFiles = new Set(styles.map((style) => style.file)).size > 1;
    place.replaceChildren(...styles.map((style) => made("button", {type: "button", class: "style-card", title: [style.prompt, style.negative_prompt && "Not: " + style.negative_prompt].filter(Boolean).join("\n"),
        "data-style": style.name, onclick: () => pickStyle(tab, style.name)},
    style.preview ? made("img", {src: addressOf("/internal/styles/preview?" + new URLSearchParams({name: style.name, changed: style.preview})), alt: "", loading: "lazy"}) : made("span", {class: "no-picture"}),
    made("span", {class: "name", text: style.name}), severalFiles && made("span", {class: "quiet", text: style.file}))));
}

function pickStyle(tab, name) {
    styleToPick = name;
    pressHidden(tab + "_style_pick");
}

function styleInEditor(tab) {
    return textareaOf(tab + "_styles_edit_select").value.trim();
}

async function setStylePreview(tab, picture) {
    const name = styleInEditor(tab);
    if (!name) return showMessage("Choose a style first.");
    await callServer("/internal/styles/preview", {name, ...picture});
    return showStyleCards(tab);
}

for (const tab of GENERATING_TABS) {
    listen(tab + "_style_set_preview", () => {
        const id = shownOrSay(tab);
        return id && setStylePreview(tab, {id, index: Math.max(0, selected_gallery_index())});
    });
    listen(tab + "_style_remove_preview", () => setStylePreview(tab, {}));
}
