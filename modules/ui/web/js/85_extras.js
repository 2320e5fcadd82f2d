/* The Extras tab: which pictures Generate works on, and pictures that other tabs send here. */
"use strict";

const EXTRAS_MODES = {extras_single_tab: "single", extras_batch_process_tab: "batch", extras_batch_directory_tab: "directory"};

function extrasMode() {
    const chosen = Object.keys(EXTRAS_MODES).find(isChosenTab);
    return EXTRAS_MODES[chosen] || "single";
}

/** The step before Generate's request: the job's id, and the single picture, sent to the server where it changed. */
async function submit_extras() {
    const args = create_submit_args(arguments);
    const mode = extrasMode();
    tabTasks.extras.sending++;
    try {
        const canvas = mode === "single" ? canvasOf("extras_image") : null;
        args[1] = JSON.stringify({mode, canvas: canvas ? await canvas.exported() : null});
        args[0] = newTask("extras");
        return args;
    } catch (error) {
        showMessage(error.message, "error");
        throw error; // no request is made
    } finally {
        tabTasks.extras.sending--;
    }
}

function switch_to_extras() {
    switch_to_tab("extras");
    return Array.from(arguments);
}

/** Puts a picture (address or file) into Single Image. */
async function showInExtras(source) {
    switch_to_extras();
    (await whenInPage(() => byId("extras_single_tab-button"))).click();
    const canvas = await whenInPage(() => canvasOf("extras_image"));
    await canvas.load(source);
}

async function pictureToExtras(picture) {
    if (picture) await showInExtras(picture.source);
}
