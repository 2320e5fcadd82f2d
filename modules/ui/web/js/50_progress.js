/* Progress of a job: polling, bar, live preview, page title, and the buttons that are there while a job runs. */
"use strict";

/** The page asks at least this often, whatever "live_preview_refresh_period" says: the bar should move. */
const POLL_MS = 350;
const PAGE_TITLE = "Easel";

function randomId() {
    return "task(" + Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => (byte % 36).toString(36).toUpperCase()).join("") + ")";
}

/** Puts Interrupt and Skip beside Generate while a job runs. Generate itself always stays. (`show`: no job runs.) */
function showSubmitButtons(tab, show) {
    const box = byId(tab + "_generate_box");
    if (!box) return;
    box.toggleAttribute("data-running", !show);
    if (show) box.removeAttribute("data-interrupting");
}

function showRestoreProgressButton(tab, show) {
    const button = byId(tab + "_restore_progress");
    if (button) button.toggleAttribute("data-shown", show);
}

/** What the views say for the title, the one of the running job before those that wait. */
var titleTexts = new Map();

function setTitle(view, text, isActive) {
    titleTexts.delete(view);
    if (text && opts.show_progress_in_title !== false) titleTexts.set(view, {text, isActive});
    const said = Array.from(titleTexts.values());
    text = (said.find((each) => each.isActive) || said[0] || {text: ""}).text;
    const title = text ? "[" + text + "] " + PAGE_TITLE : PAGE_TITLE;
    if (document.title !== title) document.title = title;
}

/**
 * Follows one job until it is over: shows bar and preview in `container` and over `gallery`, then calls atEnd(answer).
 * Both are elements, or functions that give one as soon as it is in the page.
 * A server that does not answer is asked again; a job that it does not know is given up after `inactivityTimeout` seconds.
 * Returns {stop()}.
 */
function requestProgress(id, container, gallery, atEnd, onProgress, inactivityTimeout) {
    const view = new ProgressView(container, gallery);
    const patience = (inactivityTimeout || 10) * 1000;
    let unknownSince = null;
    let lastPreview = -1;
    let stopped = false;

    function finish(answer) {
        if (stopped) return;
        stopped = true;
        view.remove();
        if (atEnd) safe(() => atEnd(answer));
    }

    async function poll() {
        if (stopped) return;
        let answer = null;
        try {
            answer = await callServer("/internal/progress", {id_task: id, live_preview: !document.hidden && opts.live_previews_enable !== false, id_live_preview: lastPreview});
        } catch (error) {
            view.showText(error.status ? error.message : "The server does not answer. Waiting…");
        }
        if (stopped) return;
        if (answer) {
            if (answer.completed || answer.status === "unfinished") return finish(answer);
            unknownSince = answer.status === "unknown" ? unknownSince || Date.now() : null;
            if (unknownSince && Date.now() - unknownSince > patience) return finish(answer);
            lastPreview = Math.max(lastPreview, answer.id_live_preview ?? -1);
            view.show(answer);
            if (onProgress) safe(() => onProgress(answer));
        }
        setTimeout(poll, document.hidden ? 1000 : Math.min(POLL_MS, opts.live_preview_refresh_period || POLL_MS));
    }

    poll();
    return {stop: () => { stopped = true; view.remove(); }};
}

function elementOf(place) {
    return typeof place === "function" ? place() : place;
}

/** The bar and the preview of one followed job. */
class ProgressView {
    constructor(container, gallery) {
        this.bar = made("div", {class: "progress", style: "width:0"});
        this.label = made("span", {class: "progress-label"});
        this.track = made("div", {class: "progressDiv", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": "Progress of the job"},
            this.bar, this.label);
        this.container = container;
        this.gallery = gallery;
        this.preview = null;
        this.attach();
    }

    /** Puts the bar into its place, which may come into the page later. */
    attach() {
        const container = elementOf(this.container);
        if (container && !this.track.isConnected && opts.show_progressbar !== false) container.prepend(this.track);
    }

    show(answer) {
        const percent = Math.round((answer.progress || 0) * 100);
        const eta = answer.eta === null || answer.eta === undefined ? "" : " ETA " + formatTime(answer.eta);
        const queued = answer.queued && !answer.active;
        this.bar.style.width = (queued ? 0 : percent) + "%";
        this.track.setAttribute("aria-valuenow", String(percent));
        const file = / \(\d+ of \d+\)$/.test(answer.textinfo || ""); // a batch names the file that it works on
        const pictures = file ? " · " + answer.textinfo : answer.job && answer.job.job_count > 1 ? " · " + Math.min(answer.job.job_no + 1, answer.job.job_count) + " of " + answer.job.job_count : "";
        this.attach();
        this.showText(queued ? answer.textinfo || "In queue" : percent + "%" + eta + pictures);
        setTitle(this, queued ? "Queued" : answer.active ? percent + "%" + eta : "", answer.active);
        if (answer.live_preview) this.showPreview(answer.live_preview);
    }

    showText(text) {
        this.label.textContent = text;
    }

    showPreview(source) {
        const gallery = elementOf(this.gallery);
        if (!gallery) return;
        this.preview = this.preview || made("div", {class: "livePreview"}, made("img", {alt: "Preview of the picture in the making"}));
        if (!this.preview.isConnected) gallery.prepend(this.preview);
        this.preview.firstChild.src = source;
        if (byId("lightboxModal")) updateLightboxPreview(source);
    }

    remove() {
        this.track.remove();
        setTitle(this, "");
        if (this.preview) this.preview.remove();
    }
}
