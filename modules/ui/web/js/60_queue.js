/* The queue drawer, the banner for jobs that an earlier run left, and notices. */
"use strict";

var queueState = {paused: false, version: -1, jobs: [], unfinished: [], recent: [], notices: [], waiting: 0};
var queueTimer = null;
var drawer = {isOpen: false, openedItself: false, wasClosed: false};

/** Reads the queue now or in `delay` ms; then again, quickly while there are jobs. */
async function refreshQueue(delay) {
    clearTimeout(queueTimer);
    if (delay) {
        queueTimer = setTimeout(() => refreshQueue(0), delay);
        return;
    }
    try {
        const known = queueState.jobs.length ? "" : "?version=" + queueState.version;
        takeQueue(await callServer("/internal/queue" + known));
    } catch (error) {
        console.warn("queue", error);
    }
    allTabTasks().forEach((tasks) => tasks.ensureResult());
    clearTimeout(queueTimer);
    queueTimer = setTimeout(() => refreshQueue(0), queueState.jobs.length ? 1000 : document.hidden ? 15000 : 4000);
}

function takeQueue(answer) {
    if (answer.unchanged) return;
    queueState = {...queueState, ...answer};
    queueState.waiting = queueState.jobs.filter((job) => job.status === "waiting").length;
    drawQueue();
    drawBanner();
    drawNotices();
    for (const tasks of allTabTasks()) {
        tasks.reconcile();
        tasks.followNext();
    }
}

async function queueAction(action, data) {
    try {
        takeQueue(await callServer("/internal/queue/" + action, data || {}));
    } catch (error) {
        showMessage(error.message, "error");
    }
    refreshQueue(200);
}

/* The drawer */

function setUpQueue() {
    const button = byId("queue_button");
    if (!button || byId("queue_panel")) return;
    const head = made("header", {},
        made("h2", {text: "Queue"}), made("span", {id: "queue_summary"}),
        made("button", {type: "button", id: "queue_pause", class: "plain", onclick: () => queueAction(queueState.paused ? "resume" : "pause")}),
        made("button", {type: "button", id: "queue_cancel_all", class: "plain", text: "Cancel all", title: "Cancel all jobs that wait; the running one goes on",
            onclick: () => confirm("Cancel all " + queueState.waiting + " jobs that wait?") && queueAction("cancel-all")}),
        made("button", {type: "button", class: "plain close easel-icon icon-close", "aria-label": "Close the queue", text: "✕", onclick: () => { drawer.wasClosed = true; openQueue(false); }}));
    const panel = made("aside", {id: "queue_panel", "aria-label": "Queue", hidden: true}, head,
        made("ol", {id: "queue_list"}), made("details", {id: "queue_recent"}, made("summary", {text: "Finished"}), made("ol", {})));
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { drawer.wasClosed = true; openQueue(false); button.focus(); event.stopPropagation(); } });
    document.body.append(panel);
    drawQueue();
}

onUiLoaded(() => safe(setUpQueue));
listen("queue_button", () => openQueue(!drawer.isOpen));

function openQueue(open) {
    drawer.isOpen = open;
    drawer.openedItself = false;
    byId("queue_panel").hidden = !open;
    byId("queue_button").setAttribute("aria-expanded", String(open));
    if (open) drawQueue();
}

function drawQueue() {
    const button = byId("queue_button");
    const panel = byId("queue_panel");
    if (!button || !panel) return;
    const count = queueState.jobs.length;
    button.querySelector(".count").textContent = count ? String(count) : "";
    button.classList.toggle("busy", count > 0);
    button.classList.toggle("paused", queueState.paused);
    if (count === 0) {
        drawer.wasClosed = false;
        if (drawer.isOpen && drawer.openedItself && !panel.contains(document.activeElement)) openQueue(false);
    }
    if (count > 1 && !drawer.isOpen && !drawer.wasClosed && window.innerWidth > 900) {
        openQueue(true);
        drawer.openedItself = true;
    }
    if (!drawer.isOpen) return;
    byId("queue_summary").textContent = queueState.paused ? "paused" : count ? queueState.waiting + " waiting" : "empty";
    byId("queue_pause").textContent = queueState.paused ? "Resume" : "Pause";
    byId("queue_pause").title = queueState.paused ? "Let the next job begin" : "Let the running job end and start no other";
    byId("queue_cancel_all").hidden = queueState.waiting === 0;
    fillList(byId("queue_list"), queueState.jobs, jobRow);
    const finished = queueState.recent.filter((job) => job.kind !== "load-checkpoint" || job.error).slice(0, 20);
    fillList(panel.querySelector("#queue_recent ol"), finished, jobRow);
    byId("queue_recent").hidden = finished.length === 0;
}

/** Brings the rows of a list in line with `jobs`; rows that stay keep their element, so focus and dragging survive. */
function fillList(list, jobs, makeRow) {
    const rows = new Map(Array.from(list.children, (row) => [row.dataset.job, row]));
    jobs.forEach((job, place) => {
        const row = rows.get(job.id) || makeRow(job);
        rows.delete(job.id);
        updateRow(row, job, place);
        if (list.children[place] !== row) list.insertBefore(row, list.children[place] || null);
    });
    rows.forEach((row) => row.remove());
}

function jobRow(job) {
    const row = made("li", {"data-job": job.id, tabindex: "0"},
        made("img", {class: "thumb", alt: "", hidden: true}),
        made("div", {class: "what"}, made("div", {class: "title"}), made("div", {class: "state"}), made("div", {class: "bar"}, made("i", {}))),
        made("div", {class: "tools"},
            rowButton("up", "↑", "Earlier", () => moveJob(job.id, -1)),
            rowButton("down", "↓", "Later", () => moveJob(job.id, 1)),
            rowButton("show", "👁", "Show the result", () => showJob(job)),
            rowButton("retry", "↻", "Make it again as a new job", () => queueAction("retry", {id: job.id})),
            rowButton("cancel", "✕", "Cancel", () => queueAction("cancel", {id: job.id}))));
    row.addEventListener("keydown", (event) => {
        const step = {ArrowUp: -1, ArrowDown: 1}[event.key];
        if (step && event.altKey) { event.preventDefault(); moveJob(job.id, step); }
        else if (step) { event.preventDefault(); const next = step < 0 ? row.previousElementSibling : row.nextElementSibling; if (next) next.focus(); }
        else if (event.key === "Delete") queueAction("cancel", {id: job.id});
    });
    row.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", job.id));
    row.addEventListener("dragover", (event) => { event.preventDefault(); row.classList.add("drop"); });
    row.addEventListener("dragleave", () => row.classList.remove("drop"));
    row.addEventListener("drop", (event) => {
        event.preventDefault();
        row.classList.remove("drop");
        const dragged = event.dataTransfer.getData("text/plain");
        if (dragged && dragged !== job.id && row.draggable) queueAction("move", {id: dragged, before: job.id});
    });
    return row;
}

const ROW_ICONS = {up: "up", down: "down", show: "show", retry: "refresh", cancel: "close"};

function rowButton(name, sign, title, onclick) {
    return made("button", {type: "button", class: "plain easel-icon icon-" + ROW_ICONS[name] + " " + name, title, "aria-label": title, text: sign, onclick});
}

const STATUS_WORDS = {waiting: "waiting", running: "running", done: "done", interrupted: "interrupted", failed: "failed", cancelled: "cancelled", unfinished: "unfinished"};

function updateRow(row, job, place) {
    const isWaiting = job.status === "waiting";
    const isLive = isWaiting || job.status === "running";
    row.className = job.status;
    row.draggable = isWaiting;
    row.querySelector(".title").textContent = job.title || "(empty prompt)";
    row.querySelector(".title").title = job.title || "";
    row.querySelector(".state").textContent = stateText(job);
    row.querySelector(".bar").hidden = job.status !== "running";
    row.querySelector(".bar i").style.width = Math.round((job.progress || 0) * 100) + "%";
    const thumb = row.querySelector("img");
    thumb.hidden = !job.thumbnail;
    const source = job.thumbnail && addressOf(job.thumbnail);
    if (source && thumb.getAttribute("src") !== source) thumb.src = source;
    row.querySelector(".up").hidden = !isWaiting || job.position === 1;
    row.querySelector(".down").hidden = !isWaiting || job.position === queueState.waiting;
    row.querySelector(".cancel").hidden = !isLive;
    row.querySelector(".show").hidden = isLive || !job.pictures_done;
    row.querySelector(".retry").hidden = isLive || job.status === "done";
}

function stateText(job) {
    const parts = [job.kind, job.status === "waiting" && job.position ? "no. " + job.position : STATUS_WORDS[job.status] || job.status];
    if (job.pictures_total && (job.pictures_total > 1 || job.status !== "waiting")) parts.push(job.pictures_done + "/" + job.pictures_total);
    else if (job.pictures_done && !job.pictures_total) parts.push(job.pictures_done + (job.pictures_done === 1 ? " picture" : " pictures"));
    if (job.status === "running" && job.eta) parts.push("ETA " + formatTime(job.eta));
    if (job.error) parts.push(job.error);
    return parts.join(" · ");
}

function moveJob(id, step) {
    const waiting = queueState.jobs.filter((job) => job.status === "waiting").map((job) => job.id);
    const place = waiting.indexOf(id);
    const target = place + step;
    if (place < 0 || target < 0 || target >= waiting.length) return;
    const before = step < 0 ? waiting[target] : waiting[target + 1] || null;
    queueAction("move", {id, before}).then(() => {
        const row = document.querySelector('#queue_list [data-job="' + CSS.escape(id) + '"]');
        if (row) row.focus();
    });
}

/* What an earlier run left */

function drawBanner() {
    const jobs = queueState.unfinished;
    const old = byId("unfinished_banner");
    const key = jobs.map((job) => job.id).join();
    const later = key !== "" && sessionStorage.getItem("unfinished_later") === key;
    if (!jobs.length || later) { if (old) old.remove(); return; }
    if (old && old.dataset.key === key) return;
    if (old) old.remove();
    const started = jobs.find((job) => job.started);
    const waiting = jobs.length - (started ? 1 : 0);
    const stop = started ? stoppedText(started) : "";
    const text = [waiting ? waiting + (waiting === 1 ? " job was waiting" : " jobs were waiting") : "", stop].filter(Boolean).join(", ") + " when the program ended.";
    const canResume = jobs.some((job) => job.resumable);
    byId("easel_banners").append(made("div", {id: "unfinished_banner", class: "banner", role: "alert", "data-key": key},
        made("span", {text: text}),
        canResume && made("button", {type: "button", class: "primary", text: "Resume", title: "Make the pictures that are missing", onclick: () => resumeUnfinished()}),
        made("button", {type: "button", text: "Discard", title: "Forget these jobs; finished pictures stay on disk", onclick: () => queueAction("discard", {id: null})}),
        made("button", {type: "button", text: "Later", onclick: () => { sessionStorage.setItem("unfinished_later", key); drawBanner(); }})));
}

function stoppedText(job) {
    const done = job.pictures_total ? job.pictures_done + " of " + job.pictures_total : String(job.pictures_done);
    return "one stopped with " + done + (job.pictures_done === 1 && !job.pictures_total ? " picture" : " pictures") + " made";
}

async function resumeUnfinished() {
    const jobs = queueState.unfinished.filter((job) => job.resumable);
    await queueAction("resume-unfinished", {id: null});
    jobs.forEach((job) => tabTasks[tabOfKind(job.kind)].add(job.id));
}

/* Notices */

function drawNotices() {
    const holder = byId("easel_banners");
    if (!holder) return;
    const hidden = JSON.parse(sessionStorage.getItem("hidden_notices") || "[]");
    const texts = (queueState.notices || []).filter((text) => !hidden.includes(text));
    const shown = new Map(Array.from(holder.querySelectorAll(".notice"), (notice) => [notice.dataset.text, notice]));
    for (const text of texts) {
        if (shown.delete(text)) continue;
        const notice = made("div", {class: "banner notice", role: "status", "data-text": text}, made("span", {text: text}));
        notice.append(made("button", {type: "button", class: "plain easel-icon icon-close", "aria-label": "Hide this notice", text: "✕", onclick: () => {
            sessionStorage.setItem("hidden_notices", JSON.stringify([...hidden, text]));
            notice.remove();
        }}));
        holder.append(notice);
    }
    shown.forEach((notice) => notice.remove());
}
