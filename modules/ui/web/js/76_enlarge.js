/* ✨: hires fix on the selected picture, as a job of this page. */
"use strict";

/** Queues it with the present values of the form; `names` are the fields of `values`. */
async function enlargeSelected(tab, names, values) {
    const id = shownOrSay(tab);
    if (!id) return;
    const given = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    try {
        const job = await callServer("/internal/pictures/upscale", {id, index: Math.max(0, selected_gallery_index()), values: given});
        addTask(tab, job.id);
    } catch (error) {
        showMessage(error.message, "error");
    }
}
