/* Files that a part of the program needs and that are not there: named with folder, size and source, and fetched on a click. */
"use strict";

const NEEDED_FILES_EVERY_MS = 1000;

var neededFilesTimer = null;

/** Fills the places that came into view; again while one of their files is on its way. */
function fillNeededFiles() {
    for (const place of document.querySelectorAll(".needed-files:not([data-filled])")) {
        if (!uiElementIsVisible(place.closest(".input-accordion, .block") || place)) continue;
        place.dataset.filled = "yes";
        drawNeededFiles(place);
    }
}

async function drawNeededFiles(place) {
    let answer;
    try {
        answer = await callServer("/internal/known-files?uses=" + encodeURIComponent(place.dataset.uses));
    } catch (error) {
        place.replaceChildren(made("p", {class: "quiet", text: error.message}));
        return;
    }
    const missing = answer.files.filter((file) => !file.is_there);
    place.replaceChildren(...missing.map((file) => neededFile(place, file, answer.may_download)));
    if (missing.some((file) => file.job)) setTimeout(() => drawNeededFiles(place), NEEDED_FILES_EVERY_MS);
}

function neededFile(place, file, mayDownload) {
    const row = made("div", {class: "needed-file"},
        made("span", {}, made("strong", {text: file.use}), " needs ", made("code", {text: file.name}), " in ", made("code", {text: file.place}),
            " (" + file.size + ", from ", made("a", {href: file.url, rel: "noreferrer", target: "_blank", text: new URL(file.url).hostname}), ")."));
    if (file.job) {
        const waits = file.job.status === "waiting";
        row.append(made("progress", {max: 1, value: waits ? null : file.job.progress, "aria-label": "Download of " + file.name}),
            made("span", {class: "quiet", text: waits ? "waits" : Math.round(100 * file.job.progress) + " %"}),
            made("button", {type: "button", class: "plain", text: "Stop", title: "Stop; the rest can be fetched later",
                onclick: () => stopDownload(place, file)}));
    } else if (mayDownload) {
        row.append(made("button", {type: "button", class: "plain", text: "Download", title: "Fetch it into " + file.place,
            onclick: () => startDownload(place, file)}));
    }
    return row;
}

async function startDownload(place, file) {
    try {
        const answer = await callServer("/internal/known-files/download", {name: file.name});
        tellWhenDownloaded(answer.job, file);
    } catch (error) {
        showMessage(error.message, "error");
    }
    drawNeededFiles(place);
    refreshQueue(200);
}

async function stopDownload(place, file) {
    try {
        await callServer("/internal/queue/cancel", {id: file.job.id});
    } catch (error) {
        showMessage(error.message, "error");
    }
    drawNeededFiles(place);
}

/** Says what became of a download, once it is over. */
async function tellWhenDownloaded(job, file) {
    for (;;) {
        await new Promise((resolve) => setTimeout(resolve, NEEDED_FILES_EVERY_MS));
        let answer;
        try {
            answer = await callServer("/internal/result/" + encodeURIComponent(job));
        } catch (error) {
            return;
        }
        if (answer.status === "waiting" || answer.status === "running") continue;
        if (answer.status === "failed") showMessage(answer.error, "error");
        else if (answer.status === "done") showMessage(file.name + " is in " + file.place + " now.");
        return;
    }
}

onAfterUiUpdate(fillNeededFiles);
// A box that is opened by its switch changes nothing in the page but what the style sheet shows.
document.addEventListener("change", () => setTimeout(fillNeededFiles, 50));
