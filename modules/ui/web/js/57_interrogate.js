/* Interrogate CLIP and DeepBooru in img2img: the picture of the present canvas, described in words, becomes the prompt. */
"use strict";

for (const [id, model] of [["interrogate", "clip"], ["deepbooru", "deepdanbooru"]]) {
    listen(id, () => interrogatePicture(id, model));
}

async function interrogatePicture(id, model) {
    const mode = currentMode(), canvas = mode && mode.canvas && canvasOf(mode.canvas);
    if (!canvas || !canvas.hasPicture()) {
        showMessage("There is no picture here to describe.");
        return;
    }
    const button = byId(id);
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    showMessage("The picture is being described; the text will be the prompt.");
    try {
        const answer = await callServer("/internal/interrogate?model=" + model, formWithPicture(await pictureAsFile(await canvas.copySource())));
        writePrompt("img2img", answer.caption);
        answer.notes.forEach((note) => showMessage(note));
        if (!answer.caption) showMessage("Nothing was recognised with enough certainty.");
    } catch (error) {
        showMessage(error.message, "error");
    } finally {
        button.removeAttribute("aria-busy");
    }
}

/** A picture's address, or the picture itself, as something that can be sent. */
async function pictureAsFile(source) {
    if (source instanceof Blob) return source;
    const answer = await fetch(source);
    if (!answer.ok) throw new Error("The picture cannot be read any more. Choose it again.");
    return answer.blob();
}

function formWithPicture(blob) {
    const form = new FormData();
    form.append("file", blob, blob.name || "picture.png");
    return form;
}

/** Puts a text into the prompt box, so that it can be taken back there. */
function writePrompt(tab, text) {
    const box = textareaOf(tab + "_prompt");
    box.focus();
    box.select();
    if (!document.execCommand("insertText", false, text)) {
        box.value = text;
    }
    updateInput(box);
}
