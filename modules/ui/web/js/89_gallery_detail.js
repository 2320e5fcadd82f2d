/* The Gallery tab: everything about one picture, and what can be done with it. */
"use strict";

/** Shows a picture beside the others; the last one asked for counts. */
async function showDetail(id) {
    galleryView.opened = id;
    const detail = byId("gallery_detail");
    let picture;
    try {
        picture = await callServer(galleryAddress("/picture/" + encodeURIComponent(id)));
    } catch (error) {
        if (galleryView.opened === id) hideDetail();
        showMessage(error.message, "error");
        return;
    }
    if (galleryView.opened !== id) return;
    const wasHidden = detail.hidden;
    const typing = detail.dataset.picture === String(id) ? detail.querySelector(".gallery-tag-input") : null;
    const hadFocus = typing && typing === document.activeElement;
    detail.hidden = false;
    detail.dataset.picture = id;
    detail.replaceChildren(...detailParts(picture));
    if (typing) detail.querySelector(".gallery-tag-input").value = typing.value; // a redraw must not take away what is being typed
    if (hadFocus) detail.querySelector(".gallery-tag-input").focus();
    if (wasHidden && galleryView.total) focusInGallery(galleryView.focus);
}

function refreshDetail() {
    if (galleryView.opened) return showDetail(galleryView.opened);
}

function hideDetail() {
    galleryView.opened = null;
    byId("gallery_detail").hidden = true;
}

function detailParts(picture) {
    const act = (action) => () => safeAsync(action);
    const button = (text, action, more) => made("button", {type: "button", class: "dialog-button", text, onclick: act(action), ...more});
    const source = pictureAddress(picture.id, "file");
    const sent = {source, infotext: picture.infotext, notes: picture.notes.length ? foreignNotes(picture) : []};
    const facts = [[picture.width + " × " + picture.height], [byteCount(picture.size)], [new Date(picture.modified * 1000).toLocaleString("en")], [picture.folder]];
    const star = made("button", {type: "button", class: "gallery-star", "aria-pressed": String(picture.starred), "aria-label": "Star", title: "Star (S)", text: picture.starred ? "★" : "☆",
        onclick: act(() => changeInGallery("/star", {ids: [picture.id], starred: !picture.starred}).then(refreshDetail))});
    const tag = made("input", {type: "text", class: "gallery-tag-input", placeholder: "Add a tag", "aria-label": "Add a tag"});
    tag.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !tag.value.trim()) return;
        const add = tag.value.split(",");
        tag.value = "";
        changeInGallery("/tag", {ids: [picture.id], add}).then(refreshDetail).then(() => document.querySelector(".gallery-tag-input").focus())
            .catch((error) => showMessage(error.message, "error"));
    });
    const tags = picture.tags.map((name) => made("button", {type: "button", class: "gallery-tag", title: "Remove this tag", "aria-label": "Remove the tag " + name, text: name + " ✕",
        onclick: act(() => changeInGallery("/tag", {ids: [picture.id], remove: [name]}).then(refreshDetail))}));
    const sendTo = picture.infotext ? [button("To txt2img", () => sendParameters("txt2img", sent))] : [];
    const parts = [
        made("header", {}, star, made("h2", {text: picture.name}), made("button", {type: "button", class: "plain easel-icon icon-close", "aria-label": "Close", text: "✕", onclick: hideDetail})),
        made("button", {type: "button", class: "gallery-picture", "aria-label": "Enlarge", onclick: act(() => enlargeFromGallery(galleryView.focus))}, made("img", {src: source, alt: picture.prompt.slice(0, 200) || picture.name})),
        made("p", {class: "quiet", text: facts.flat().join(" · ")}),
        made("div", {class: "gallery-tags"}, ...tags, tag),
        made("div", {class: "gallery-actions"}, ...sendTo, button("To img2img", () => sendToImg2img("img2img", sent)), button("To inpaint", () => sendToImg2img("inpaint", sent)),
            button("To extras", () => pictureToExtras(sent)), ...(picture.infotext ? [button("Replay", () => replayFromGallery(picture))] : []), button("Compare…", () => compareFromGallery(picture)),
            made("a", {class: "dialog-button", href: pictureAddress(picture.id, "file") + "?download=true", download: picture.name, text: "Download"}),
            button("Move…", () => { galleryView.chosen = new Set([picture.id]); moveChosen(); }), button("Delete", () => { galleryView.chosen = new Set([picture.id]); return deleteChosen(); })),
        made("div", {id: "gallery_replay_place"}),
    ];
    return [...parts, ...detailTexts(picture)];
}

/** Prompts and parameters; every word of the file is put in as text. */
function detailTexts(picture) {
    if (!picture.infotext) return [made("p", {class: "quiet", text: "This picture holds no parameters."})];
    const texts = [["Prompt", picture.prompt], ["Negative prompt", picture.negative_prompt]].filter(([, text]) => text);
    const table = made("table", {}, made("tbody", {}, ...picture.parameters.map(({key, value}) => made("tr", {}, made("th", {scope: "row", text: key}), made("td", {text: value})))));
    return [
        ...(picture.program ? [made("p", {class: "quiet", text: "Made by " + picture.program})] : []),
        ...texts.flatMap(([name, text]) => [made("h3", {text: name}), made("p", {class: "gallery-prompt", text})]),
        ...(picture.parameters.length ? [made("h3", {text: "Parameters"}), table] : []),
        made("button", {type: "button", class: "dialog-button", text: "Copy parameters", onclick: () => copyText(picture.infotext)}),
    ];
}

function byteCount(bytes) {
    return bytes < 1e6 ? Math.max(1, Math.round(bytes / 1e3)) + " kB" : (bytes / 1e6).toFixed(1) + " MB";
}

/** A picture of the gallery as compare and the other tabs want it: {name, source, infotext}. */
async function pictureForOthers(id) {
    const picture = await callServer(galleryAddress("/picture/" + encodeURIComponent(id)));
    return {name: picture.name, source: pictureAddress(id, "file"), infotext: picture.infotext};
}

/** Compares with the pictures around it; a file can be chosen too. */
async function compareFromGallery(picture) {
    const near = Array.from(galleryView.rows).filter(([number, row]) => Math.abs(number - galleryView.focus) <= 10 && row.id !== picture.id).map(([, row]) => row.id);
    const choices = await Promise.all(near.slice(0, 20).map(pictureForOthers));
    await comparePictures({name: picture.name, source: pictureAddress(picture.id, "file"), infotext: picture.infotext}, choices, "txt2img");
}

/** The picture over the whole window, and those around it by the arrow keys. */
function enlargeFromGallery(number) {
    if (number === null || galleryView.isBin) return;
    const near = Array.from(galleryView.rows.keys()).filter((other) => Math.abs(other - number) <= 200).sort((a, b) => a - b);
    const urls = near.map((other) => pictureAddress(galleryView.rows.get(other).id, "file"));
    openLightbox(urls, near.indexOf(number), galleryView.cells.get(number) || byId("gallery_scroll"));
}

async function replayFromGallery(picture) {
    const job = await callServer(galleryAddress("/replay"), {id: picture.id});
    followReplay({key: "gallery", place: byId("gallery_replay_place"), name: picture.name, buttons: () => [["Compare", () => comparePictures(
        {name: picture.name, source: pictureAddress(picture.id, "file"), infotext: picture.infotext},
        [{name: "The replay", source: addressOf("/internal/result/" + encodeURIComponent(job.id) + "/picture/0"), infotext: ""}], "txt2img")]]}, job.id);
}
