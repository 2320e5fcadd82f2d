/* Sending: the selected picture, its parameters, or both, to another tab. */
"use strict";

/** What the next press of a tab's hidden button brings to its form: see received_handler in paste.py. */
var sentTo = {};

function whatIsSent(tab) {
    return JSON.stringify(sentTo[tab] || {});
}

/** Fills the form of a tab: {infotext, notes, only, width, height}, and resolves when it is filled. The tab may be one that was never opened. */
async function sendToForm(tab, message) {
    await whenInPage(() => byId(tab + "_receive"));
    sentTo[tab] = message;
    await answeredPress(tab + "_receive");
}

/** The selected picture of a gallery: {source, infotext}; null, and a message, where there is none. */
function selectedPicture(tab) {
    if (!shownOrSay(tab)) return null;
    const index = Math.max(0, selected_gallery_index());
    const gallery = galleryOf(tab);
    const pictures = Array.from(gallery.querySelectorAll(".thumbnails img"));
    const picture = pictures[index] || gallery.querySelector(".preview .media-button img, .preview > button img, .grid-container img");
    if (!picture) return null;
    return {source: picture.src, infotext: ((generationInfo(tab) || {}).infotexts || [])[index] || ""};
}

/** What the log line says about parameters of another program; nothing where all of them could be expressed. */
function foreignNotes({program, notes}) {
    return notes.length ? ["The parameters are those of " + program + ".", ...notes] : [];
}

/** Parameters alone: the tab's form is as it was when the picture was made. */
async function sendParameters(tab, picture) {
    if (!picture) return;
    switch_to_tab(tab);
    await sendToForm(tab, {infotext: picture.infotext, notes: picture.notes});
}

/** A picture ({source, infotext, notes}) to a canvas of img2img, and its parameters to the form beside it. */
async function sendToImg2img(modeName, picture) {
    if (!picture) return;
    const mode = modeNamed(modeName);
    await showOnCanvas(mode, picture.source);
    const {width, height} = canvasOf(mode.canvas).pictureSize();
    await sendToForm("img2img", {infotext: picture.infotext, notes: picture.notes, width, height});
}

for (const tab of RESULT_TABS) {
    listen(tab + "_send_to_txt2img", () => sendParameters("txt2img", selectedPicture(tab)));
    listen(tab + "_send_to_img2img", () => sendToImg2img("img2img", selectedPicture(tab)));
    listen(tab + "_send_to_inpaint", () => sendToImg2img("inpaint", selectedPicture(tab)));
    listen(tab + "_send_to_extras", () => pictureToExtras(selectedPicture(tab)));
}
