/* Canvases in the page: dropping, pasting, the grip below, and their places. */
"use strict";


function listenToDrops(canvas) {
    const {root} = canvas;
    const carries = (event) => Array.from(event.dataTransfer ? event.dataTransfer.types : []).some((type) => type === "Files" || type === "text/uri-list");
    for (const name of ["dragenter", "dragover"]) {
        root.addEventListener(name, (event) => {
            if (!carries(event)) return;
            event.preventDefault();
            event.dataTransfer.dropEffect = "copy";
            root.dataset.drop = "";
        });
    }
    root.addEventListener("dragleave", (event) => { if (!root.contains(event.relatedTarget)) delete root.dataset.drop; });
    root.addEventListener("drop", (event) => safe(() => {
        delete root.dataset.drop;
        if (!carries(event)) return;
        event.preventDefault();
        event.stopPropagation();
        const picture = pictureAmong(event.dataTransfer);
        if (picture) canvas.load(picture);
        else showMessage("That is no picture of this page and no file.", "error");
    }));
}

function listenToGrip(canvas) {
    const {grip, stage} = canvas;
    const set = (height) => {
        canvas.chosenHeight = height && Math.max(160, Math.min(2000, Math.round(height)));
        canvas.setHeight();
    };
    let from = null;
    grip.addEventListener("pointerdown", (event) => { grip.setPointerCapture(event.pointerId); from = {y: event.clientY, height: stage.clientHeight}; });
    grip.addEventListener("pointermove", (event) => { if (from) set(from.height + event.clientY - from.y); });
    for (const name of ["pointerup", "pointercancel"]) grip.addEventListener(name, () => { from = null; });
    grip.addEventListener("dblclick", () => set(0));
    grip.addEventListener("keydown", (event) => {
        const step = {ArrowUp: -24, ArrowDown: 24}[event.key];
        if (!step) return;
        event.preventDefault();
        set(stage.clientHeight + step);
    });
}

/** A pasted picture goes to the canvas that is meant, or to the one that is seen; text boxes keep what is pasted into them. */
document.addEventListener("paste", (event) => safe(() => {
    const files = Array.from(event.clipboardData ? event.clipboardData.files : []);
    const picture = files.find((file) => file.type.startsWith("image/"));
    if (!picture || Array.from(event.clipboardData.types).includes("text/plain")) return;
    const seen = Object.values(pictureCanvases).filter((canvas) => canvas.stage && uiElementIsVisible(canvas.stage));
    const canvas = canvasForKeys(event) || seen[0];
    if (!canvas) return;
    event.preventDefault();
    canvas.load(picture);
}));

function attachCanvases() {
    for (const place of document.querySelectorAll(".canvas-place:not([data-ready])")) canvasOf(place.dataset.canvas).attach(place);
}

onUiLoaded(() => safe(attachCanvases));
onUiUpdate(() => safe(attachCanvases));
