/* What scripts of extensions call and the page itself does not need: names, and buttons that send to other tabs. */
"use strict";

var txt2img_gallery, img2img_gallery, modal;

/** The names that scripts of extensions look for in lists of tabs; gradio's hidden copies of the buttons, by which it measures, go behind these. */
function nameTabLists() {
    for (const list of document.querySelectorAll('[role="tablist"]:not(.tab-nav)')) {
        list.classList.add("tab-nav");
        const copies = list.parentElement.querySelector(':scope > .tab-container[aria-hidden="true"]');
        if (copies) list.parentElement.append(copies);
    }
}

/** Scripts know the open tab by `style.display === "block"`; gradio writes flex, which css/37_extensions.css keeps it at. */
function nameOpenTabs() {
    for (const tab of document.querySelectorAll('.tabitem[style*="display: flex"]')) tab.style.display = "block";
}

onUiLoaded(nameTabLists);
onUiUpdate(nameTabLists);
onUiLoaded(nameOpenTabs);
onUiUpdate(nameOpenTabs);

/** The translation of a text of the page, undefined where there is none. */
function getTranslation(text) {
    return text ? (window.localization || {})[text] : undefined;
}

function setRandomSeed(tab) {
    const box = textareaOf(tab + "_seed");
    if (!box) return [];
    box.value = "-1";
    updateInput(box);
    return [];
}

function switchWidthHeight(tab) {
    const [width, height] = ["_width", "_height"].map((end) => document.querySelector("#" + tab + end + " input[type=number]"));
    if (!width || !height) return [];
    [width.value, height.value] = [height.value, width.value];
    updateInput(width);
    updateInput(height);
    return [];
}

/* Sending */

/** The picture that a component of gradio's holds: the chosen one of a gallery. */
function pictureOfComponent(value) {
    if (Array.isArray(value)) {
        const index = Math.max(0, selected_gallery_index());
        return pictureOfComponent(value[index] || value[0]);
    }
    if (value && value.image) return pictureOfComponent(value.image);
    if (typeof value === "string") return value;
    return value ? value.url || (value.path ? "file=" + value.path : null) : null;
}

/** A press of an extension's button "Send to ...": the picture, its infotext or both go to the tab. */
async function receiveFromExtension(tab, {picture, infotext, source}) {
    const from = pictureOfComponent(picture);
    const text = typeof infotext === "string" && infotext.trim() ? infotext : source ? infotextShownIn(source) : "";
    if (tab === "txt2img") await sendParameters("txt2img", {infotext: text, notes: []});
    else if (tab === "extras") await sendToExtras(from);
    else if (from) await sendToImg2img(tab === "inpaint" ? "inpaint" : "img2img", {source: from, infotext: text, notes: []});
    else await sendParameters("img2img", {infotext: text, notes: []});
}

function infotextShownIn(tab) {
    const place = byId("html_info_" + tab);
    return place ? place.innerText.trim() : "";
}

async function sendToExtras(source) {
    switch_to_extras();
    if (typeof showInExtras === "function" && source) await showInExtras(source);
}
