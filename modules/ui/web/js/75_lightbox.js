/* The lightbox: one picture over the whole window, with keys. */
"use strict";

var lightbox = {urls: [], index: 0, zoomed: false, live: false, opener: null};
var modal = null;

/** A click on the big picture of the gallery opens the lightbox instead of gradio's own closing of the preview. */
function openLightboxFromGallery(event) {
    const gallery = event.target.closest(".gradio-gallery");
    const picture = event.target.closest(".preview .media-button, .preview > button, .preview img");
    if (!gallery || !picture || event.target.closest(".thumbnails, .icon-button-wrapper, .icon-buttons")) return;
    if (event.button !== 0 || opts.js_modal_lightbox === false) return;
    const thumbnails = Array.from(gallery.querySelectorAll(".thumbnails img"));
    const big = gallery.querySelector(".preview .media-button img, .preview > button img");
    const urls = thumbnails.length ? thumbnails.map((image) => image.src) : big ? [big.src] : [];
    if (!urls.length) return;
    event.preventDefault();
    event.stopPropagation();
    openLightbox(urls, Math.max(0, selected_gallery_index()), big || picture);
}

document.addEventListener("click", (event) => safe(() => openLightboxFromGallery(event)), true);

// On the document: gradio takes the focus to the thumbnail of the picture that is shown.
document.addEventListener("keydown", (event) => { if (modal && !modal.hidden) safe(() => keyInLightbox(event)); }, true);

function openLightbox(urls, index, opener) {
    const box = lightboxElement();
    lightbox = {urls, index, zoomed: false, live: lightbox.live, opener};
    box.hidden = false;
    document.body.classList.add("has-lightbox");
    showInLightbox(index);
    zoomLightbox(false);
    box.classList.toggle("enlarged", opts.js_modal_lightbox_initially_zoomed !== false);
    box.querySelector(".stage").focus();
}

function closeModal() {
    if (!modal || modal.hidden) return;
    modal.hidden = true;
    document.body.classList.remove("has-lightbox");
    const focus = lightbox.opener && lightbox.opener.closest("button");
    if (focus) focus.focus();
}

/* In the page from the start, since scripts of extensions look for it. */
onUiLoaded(() => { lightboxElement(); });

function lightboxElement() {
    if (modal) return modal;
    const tool = (id, sign, title, onclick) => made("button", {type: "button", id, class: "easel-icon icon-" + id.replace("modal_", ""), text: sign, title, "aria-label": title, onclick});
    modal = made("div", {id: "lightboxModal", role: "dialog", "aria-modal": "true", "aria-label": "Picture", hidden: true},
        made("div", {class: "modalControls"},
            tool("modal_zoom", "⤢", "Original size or fitted (Z)", () => zoomLightbox(!lightbox.zoomed)),
            tool("modal_tile", "▦", "Tile preview", () => modal.classList.toggle("tiling")),
            tool("modal_live", "◉", "Show the live preview of the running job", toggleLivePreview),
            tool("modal_download", "⭳", "Download", downloadFromLightbox),
            tool("modal_save", "💾", "Save a copy (S)", () => saveSelected(currentResultTab()).catch((error) => showMessage(error.message, "error"))),
            tool("modal_close", "✕", "Close (Esc)", closeModal)),
        tool("modal_prev", "❮", "Previous picture (left arrow or A)", () => stepLightbox(-1)),
        made("div", {class: "stage", tabindex: "-1"}, made("img", {id: "modalImage", alt: "Selected picture"}), made("div", {class: "tiles"})),
        tool("modal_next", "❯", "Next picture (right arrow or D)", () => stepLightbox(1)));
    modal.querySelector(".stage").addEventListener("click", (event) => {
        if (event.target.id === "modalImage") zoomLightbox(!lightbox.zoomed);
        else closeModal();
    });
    document.body.append(modal);
    return modal;
}

function showInLightbox(index) {
    const url = lightbox.urls[index];
    lightbox.index = index;
    byId("modalImage").src = url;
    modal.querySelector(".tiles").style.backgroundImage = 'url("' + encodeURI(decodeURI(url)).replace(/["\\]/g, "\\$&") + '")';
    const many = lightbox.urls.length > 1;
    byId("modal_prev").hidden = byId("modal_next").hidden = !many;
    byId("modalImage").alt = many ? "Picture " + (index + 1) + " of " + lightbox.urls.length : "Selected picture";
}

/** Shows the next picture and selects it in the gallery too, so that infotext and buttons mean the same one. */
function stepLightbox(step) {
    const count = lightbox.urls.length;
    if (count < 2) return;
    lightbox.live = false;
    showInLightbox((lightbox.index + step + count) % count);
    const thumbnails = all_gallery_buttons();
    if (!thumbnails[lightbox.index]) return;
    thumbnails[lightbox.index].click();
    setTimeout(() => { if (!modal.hidden) modal.querySelector(".stage").focus(); }, 50);
}

function zoomLightbox(zoomed) {
    lightbox.zoomed = zoomed;
    modal.classList.toggle("zoomed", zoomed);
}

function toggleLivePreview() {
    lightbox.live = !lightbox.live;
    byId("modal_live").classList.toggle("on", lightbox.live);
    if (!lightbox.live) showInLightbox(lightbox.index);
}

function updateLightboxPreview(source) {
    if (modal && !modal.hidden && lightbox.live) byId("modalImage").src = source;
}

function downloadFromLightbox() {
    const url = lightbox.urls[lightbox.index];
    made("a", {href: url, download: decodeURIComponent(url.split("/").pop().split("?")[0])}).click();
}

function keyInLightbox(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = {
        ArrowLeft: () => stepLightbox(-1), a: () => stepLightbox(-1),
        ArrowRight: () => stepLightbox(1), d: () => stepLightbox(1),
        s: () => byId("modal_save").click(), z: () => zoomLightbox(!lightbox.zoomed),
        Escape: closeModal,
    }[key];
    if (event.key === "Tab") return trapFocus(modal, event);
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action();
}

/** Keeps Tab inside a dialog. */
function trapFocus(dialog, event) {
    const stops = Array.from(dialog.querySelectorAll("button, input, textarea, [tabindex='0']")).filter((element) => !element.hidden && uiElementIsVisible(element) || element.closest("#lightboxModal") && !element.hidden);
    if (!stops.length) return;
    const last = stops[stops.length - 1];
    if (event.shiftKey && document.activeElement === stops[0]) {
        event.preventDefault();
        last.focus();
    } else if (!event.shiftKey && document.activeElement === last) {
        event.preventDefault();
        stops[0].focus();
    }
}
