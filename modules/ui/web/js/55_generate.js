/* Generate, and what becomes of it: this page's jobs, following them one after the other, results, keys. */
"use strict";

/** Ids of the jobs that this page follows, oldest first; kept in the browser so that a reload finds them again. */
var pageTasks = JSON.parse(localGet("txt2img_tasks", "[]"));
var followed = null;
var seenTasks = new Set();
var lastFinished = localGet("txt2img_last_task", null);
var pageRestored = false;

var taskToShow = null;

/** The job whose result the panel does not show yet but is to, and how often it was asked for: gradio's answers may overtake each other. */
var wanted = {id: null, asked: 0, askedAt: 0};
const MOST_ASKS = 4;
var interruptPressed = null;

function saveTasks() {
    localSet("txt2img_tasks", JSON.stringify(pageTasks.slice(-200)));
}

function create_submit_args(args) {
    return Array.from(args);
}

/** The step before Generate's request: gives the job its id and begins to follow it. */
function submit() {
    const args = create_submit_args(arguments);
    return safe(() => {
        const id = randomId().replace("(", "(txt2img-");
        addTask(id);
        args[0] = id;
        return args;
    }, args);
}

function addTask(id) {
    if (shownTask("txt2img") === wanted.id) wanted.id = null;
    if (!pageTasks.includes(id)) pageTasks.push(id);
    saveTasks();
    followNext();
    refreshQueue(300);
}

/** Follows the job of this page that runs, else the first that waits. */
function followNext() {
    const known = new Map(queueState.jobs.map((job, place) => [job.id, job.status === "running" ? -1 : place]));
    const order = pageTasks.slice().sort((a, b) => (known.get(a) ?? 1e6) - (known.get(b) ?? 1e6));
    const next = order[0];
    if (!next) {
        stopFollowing();
        return;
    }
    if (followed && followed.id === next) return;
    if (followed && known.get(next) !== -1) return;
    if (followed) followed.handle.stop();
    followed = {id: next, handle: null};
    followed.handle = requestProgress(next, byId("txt2img_gallery_container"), byId("txt2img_gallery_container"),
        (answer) => taskEnded(next, answer), (answer) => taskMoved(next, answer), 10);
}

/** Lets go of this page's jobs that ended while another one was followed, and shows the newest of their results. */
function reconcileTasks() {
    const live = new Set(queueState.jobs.map((job) => job.id));
    const over = new Map(queueState.recent.map((job) => [job.id, job]));
    live.forEach((id) => seenTasks.add(id));
    const gone = pageTasks.filter((id) => !live.has(id) && (over.has(id) || seenTasks.has(id)) && !(followed && followed.id === id && over.has(id)));
    if (!gone.length) return;
    pageTasks = pageTasks.filter((id) => !gone.includes(id));
    saveTasks();
    if (followed && gone.includes(followed.id)) stopFollowing();
    const last = over.get(lastFinished);
    const newest = gone.map((id) => over.get(id)).filter((job) => job && job.pictures_done).sort((a, b) => b.ended - a.ended)[0];
    if (!newest || (last && last.ended > newest.ended)) return;
    setLastFinished(newest.id);
    showResult(lastFinished);
}

function stopFollowing() {
    if (followed) followed.handle.stop();
    followed = null;
    showSubmitButtons("txt2img", true);
    showRestoreProgressButton("txt2img", false);
}

function taskMoved(id, answer) {
    if (!followed || followed.id !== id) return;
    showSubmitButtons("txt2img", !answer.active);
    if (answer.queue_size !== queueState.waiting || (answer.active && !queueState.jobs.some((job) => job.id === id && job.status === "running"))) refreshQueue(0);
}

function taskEnded(id, answer) {
    followed = null;
    interruptPressed = null;
    pageTasks = pageTasks.filter((task) => task !== id);
    saveTasks();
    showSubmitButtons("txt2img", true);
    refreshQueue(0);
    if (answer && answer.completed && answer.status !== "cancelled") {
        setLastFinished(id);
        wanted = {id, asked: 0, askedAt: 0};
        setTimeout(ensureResult, 500); // the answer of Generate itself brings the result of most jobs; the others are asked for
    }
    followNext();
}

function setLastFinished(id) {
    lastFinished = id;
    localSet("txt2img_last_task", id);
}

/** Called when a Generate request was answered. A refused one left no job behind; its id stands in the log line. */
function generateAnswered(tab) {
    refreshQueue(0);
    setTimeout(() => safe(() => {
        const mark = document.querySelector("#html_log_" + tab + " [data-refused]");
        if (mark) forgetTask(mark.dataset.refused);
        else ensureResult();
    }), 300);
}

function forgetTask(id) {
    if (!pageTasks.includes(id)) return;
    pageTasks = pageTasks.filter((task) => task !== id);
    saveTasks();
    if (followed && followed.id === id) stopFollowing();
    followNext();
}

/** Which job's result the output panel shows. */
function shownTask(tab) {
    return (generationInfo(tab) || {}).job || null;
}

function showResult(id) {
    wanted = {id, asked: 0, askedAt: 0};
    pressShowResult();
}

/** Asks again for the wanted result where another one is shown. */
function ensureResult() {
    if (shownTask("txt2img") === wanted.id) wanted.id = null;
    if (!wanted.id || wanted.asked >= MOST_ASKS || Date.now() - wanted.askedAt < 1000) return;
    pressShowResult();
}

function pressShowResult() {
    wanted.asked += 1;
    wanted.askedAt = Date.now();
    taskToShow = wanted.id;
    const button = byId("txt2img_show_result");
    if (button) (button.matches("button") ? button : button.querySelector("button")).click();
}

function resultToShow() {
    return taskToShow || lastFinished || "";
}

/** After loading: goes on with the jobs of this browser and the running one, and shows the last result. */
async function restoreProgress() {
    await refreshQueue(0);
    const ids = new Set(queueState.jobs.map((job) => job.id));
    pageTasks = pageTasks.filter((id) => ids.has(id));
    const running = queueState.jobs.find((job) => job.status === "running" && job.kind === "txt2img");
    if (running && !pageTasks.includes(running.id)) pageTasks.unshift(running.id);
    saveTasks();
    const finished = queueState.recent.filter((job) => job.kind === "txt2img");
    const last = finished.find((job) => job.id === lastFinished) || finished.find((job) => job.pictures_done > 0);
    const newest = finished.find((job) => job.status === "done" || job.pictures_done > 0);
    lastFinished = ((last && newest && newest.ended > last.ended ? newest : last) || {}).id || null;
    if (lastFinished) showResult(lastFinished);
    pageRestored = true;
    followNext();
}

onUiLoaded(() => restoreProgress().catch((error) => showMessage(error.message, "error")));

function setUpGenerateBox() {
    listen("txt2img_interrupt", () => stopTask(false));
    listen("txt2img_interrupting", () => stopTask(true));
    listen("txt2img_skip", skipTask);
    listen("txt2img_restore_progress", () => restoreProgress());
}

onUiLoaded(setUpGenerateBox);

/** Interrupts the followed job. With "Don't Interrupt in the middle" the first press lets the present picture end. */
async function stopTask(atOnce) {
    if (!followed) return;
    const id = followed.id;
    const gently = Boolean(opts.interrupt_after_current) && !atOnce;
    byId("txt2img_generate_box").setAttribute("data-interrupting", "");
    interruptPressed = id;
    await callServer("/internal/interrupt", gently ? {id_task: id, after_current: true} : {id_task: id}).catch((error) => showMessage(error.message, "error"));
}

async function skipTask() {
    if (followed) await callServer("/internal/skip", {id_task: followed.id}).catch((error) => showMessage(error.message, "error"));
}

/* Number boxes of sliders take values beyond the slider; gradio would cut them when the box is left. */
document.addEventListener("blur", (event) => {
    if (event.target.matches && event.target.matches(".settings-column .gradio-slider input[type=number]")) event.stopImmediatePropagation();
}, true);

/* Keys: Ctrl+Enter generates, Alt+Enter skips, Esc interrupts */

function pressIfVisible(id) {
    const button = byId(id);
    if (!uiElementIsVisible(button)) return false;
    button.click();
    return true;
}

document.addEventListener("keydown", (event) => safe(() => {
    if (event.isComposing || event.defaultPrevented) return;
    const tab = currentGeneratingTab();
    if (!tab) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        event.stopPropagation();
        byId(tab + "_generate").click();
    } else if (event.key === "Enter" && event.altKey) {
        event.preventDefault();
        event.stopPropagation();
        pressIfVisible(tab + "_skip");
    } else if (event.key === "Escape" && !document.querySelector(".popup-dialog[data-open], #lightboxModal:not([hidden]), .context-menu, [role=listbox]")) {
        if (pressIfVisible(tab + "_interrupt") || pressIfVisible(tab + "_interrupting")) event.preventDefault();
    }
}), true);
