/* A picture file dropped on a prompt box: the parameters inside it fill the form, as the arrow button does. */
"use strict";

var infotextToRead = "";

/** The prompt box of a generating tab at which an event with files points, or null. */
function promptUnderFiles(event) {
    const types = event.dataTransfer ? Array.from(event.dataTransfer.types) : [];
    return types.includes("Files") && event.target.closest ? event.target.closest("#txt2img_prompt, #txt2img_neg_prompt") : null;
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
    const form = new FormData();
    form.append("file", file);
    const base = document.baseURI.replace(/\/+$/, "");
    const answer = await fetch(base + "/internal/picture-text", {method: "POST", body: form});
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(typeof body.detail === "string" ? body.detail : "The server answered with status " + answer.status + ".");
    infotextToRead = body.infotext;
    const button = byId(tab + "_read_infotext");
    (button.matches("button") ? button : button.querySelector("button")).click();
}
