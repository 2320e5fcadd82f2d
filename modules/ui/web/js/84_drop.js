/* A picture file dropped on a prompt box: the parameters inside it fill the form, as the arrow button does. */
"use strict";

const PROMPT_BOXES = GENERATING_TABS.map((tab) => "#" + tab + "_prompt, #" + tab + "_neg_prompt").join(", ");

/** The prompt box of a generating tab at which an event with files points, or null. */
function promptUnderFiles(event) {
    const types = event.dataTransfer ? Array.from(event.dataTransfer.types) : [];
    return types.includes("Files") && event.target.closest ? event.target.closest(PROMPT_BOXES) : null;
}

function markDropTarget(box) {
    document.querySelectorAll("[data-drop]").forEach((other) => { if (other !== box) delete other.dataset.drop; });
    if (box) box.dataset.drop = "";
}

for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
        const box = promptUnderFiles(event);
        markDropTarget(box);
        if (!box) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
    }, true);
}
document.addEventListener("dragend", () => markDropTarget(null), true);
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) markDropTarget(null); }, true);
document.addEventListener("drop", (event) => {
    const box = promptUnderFiles(event);
    markDropTarget(null);
    if (!box) return;
    event.preventDefault(); // the browser would open the file in place of the page
    event.stopPropagation();
    const file = event.dataTransfer.files[0];
    if (file) readDropped(box.id.split("_")[0], file).catch((error) => showMessage(error.message, "error"));
}, true);

async function readDropped(tab, file) {
    const read = await askAboutPicture("/internal/picture-text", file);
    await sendToForm(tab, {infotext: read.infotext, notes: foreignNotes(read)});
}

/** The parameters inside a picture file. Throws an Error with the server's sentence where there are none. */
async function infotextIn(file) {
    return (await askAboutPicture("/internal/picture-text", file)).infotext;
}

/** What the server reads in a picture file. Throws an Error with its sentence. */
function askAboutPicture(path, file) {
    const form = new FormData();
    form.append("file", file);
    return callServer(path, form);
}
