/* The gallery: which picture is selected, its infotext and seed, saving and downloading. */
"use strict";

var txt2img_gallery, img2img_gallery = undefined;
var galleryMarks = {};

function galleryOf(tab) {
    return byId(tab + "_gallery");
}

function all_gallery_buttons() {
    return Array.from(document.querySelectorAll('[id$="_gallery"].gradio-gallery .thumbnail-item')).filter(uiElementIsVisible);
}

function selected_gallery_button() {
    return all_gallery_buttons().find((button) => button.classList.contains("selected")) || null;
}

/** Number of the chosen picture of the visible gallery, -1 when none is. */
function selected_gallery_index() {
    const preview = Array.from(document.querySelectorAll('[id$="_gallery"].gradio-gallery .preview')).find(uiElementIsVisible);
    const buttons = preview ? Array.from(preview.querySelectorAll(".thumbnail-item")) : all_gallery_buttons();
    const index = buttons.findIndex((button) => button.classList.contains("selected"));
    return index < 0 && preview ? 0 : index;
}

function extract_image_from_gallery(gallery) {
    if (!gallery || !gallery.length) return [null];
    return [gallery[Math.min(Math.max(0, selected_gallery_index()), gallery.length - 1)]];
}

/** What Generate said about the pictures that are shown: job, infotexts, seeds. */
function generationInfo(tab) {
    const box = textareaOf("generation_info_" + tab);
    try {
        return box && box.value ? JSON.parse(box.value) : null;
    } catch {
        return null;
    }
}

function selectedInfotextHtml(tab) {
    const texts = (generationInfo(tab) || {}).infotexts || [];
    const text = texts[Math.max(0, selected_gallery_index())] || "";
    return text ? "<p>" + text.split(/\r\n|\r|\n/).map(escapeHtml).join("<br>\n") + "</p>" : "";
}

/** Seed (`kind` "seeds" or "subseeds") of the selected picture; `present` where there is none, as with a grid over several. */
function seedOfSelected(tab, kind, present) {
    const info = generationInfo(tab) || {};
    const index = Math.max(0, selected_gallery_index());
    const seeds = info[kind] || [];
    const all = kind === "seeds" ? info.all_seeds : info.all_subseeds;
    return seeds[index] ?? (all || [])[Math.max(0, index - (info.index_of_first_image || 0))] ?? present;
}

/** Writes the infotext of another picture when another one is chosen. */
function noticeSelection(changes) {
    // Whether something is seen is asked only then: the browser has to lay out the page for it.
    if (!changes.some(({target}) => target.closest && target.closest(".gradio-gallery"))) return;
    for (const tab of RESULT_TABS) {
        if (!uiElementIsVisible(galleryOf(tab))) continue;
        const mark = shownTask(tab) + "/" + selected_gallery_index();
        if (galleryMarks[tab] === mark) continue;
        const isFirst = galleryMarks[tab] === undefined || galleryMarks[tab].split("/")[0] !== mark.split("/")[0];
        galleryMarks[tab] = mark;
        if (isFirst && selected_gallery_index() <= 0) continue;
        const button = byId(tab + "_generation_info_button");
        if (button && shownTask(tab)) button.click();
    }
}

onUiUpdate(noticeSelection);

/* gradio focuses the thumbnail of a picture that arrives. Typing goes on where it was, and the page stays where it is. */

var lastGalleryInput = 0;
var keptScroll = 0;

for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, (event) => {
        if (event.target.closest && event.target.closest(".gradio-gallery, #lightboxModal")) lastGalleryInput = Date.now();
    }, true);
}
window.addEventListener("scroll", () => { keptScroll = window.scrollY; }, {passive: true});
document.addEventListener("focusin", (event) => {
    if (!event.target.closest(".gradio-gallery .thumbnail-item") || Date.now() - lastGalleryInput < 1000) return;
    if (event.relatedTarget && event.relatedTarget.isConnected) event.relatedTarget.focus({preventScroll: true});
    else event.target.blur();
    window.scrollTo(0, keptScroll);
});

/* Buttons below the gallery */

function setUpGalleryButtons() {
    for (const tab of RESULT_TABS) {
        listen("save_" + tab, () => saveSelected(tab));
        listen("save_zip_" + tab, () => downloadZip(tab));
        listen(tab + "_open_folder", () => openFolder(tab));
    }
}

onUiLoaded(setUpGalleryButtons);

function shownOrSay(tab) {
    const id = shownTask(tab);
    if (!id) showMessage("There is no picture yet.");
    return id;
}

async function saveSelected(tab) {
    const id = shownOrSay(tab);
    if (!id) return;
    const answer = await callServer("/internal/pictures/save", {id, index: Math.max(0, selected_gallery_index())});
    showMessage("Saved as " + answer.path);
}

/** The server makes the archive; fetched first, so that an error is a sentence and not a broken download. */
async function downloadZip(tab) {
    const id = shownOrSay(tab);
    if (!id) return;
    const answer = await callServer("/internal/pictures/zip", {id});
    made("a", {href: addressOf(answer.url), download: answer.name}).click();
}

async function openFolder(tab) {
    const answer = await callServer("/internal/pictures/open-folder", {tab});
    if (answer.message) showMessage(answer.message);
}

/** Clicks in galleries are seen on the document (lightbox.js); extensions call this to get the element. */
function attachGalleryListeners(tab) {
    return galleryOf(tab);
}
