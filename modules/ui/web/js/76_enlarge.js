/* ✨: hires fix on the selected picture, as a job of this page. */
"use strict";

/** Queues it with the present values of the form; `names` are the fields of `values`. */
async function enlargeSelected(tab, names, values) {
    const id = shownOrSay(tab);
    if (!id) return;
    try {
        const job = await callServer("/internal/pictures/upscale", {id, index: Math.max(0, selected_gallery_index()), values: paired(names, values)});
        addTask(tab, job.id);
    } catch (error) {
        showMessage(error.message, "error");
    }
}
