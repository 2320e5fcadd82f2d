/* Generate, and what becomes of it: every tab's jobs, following them one after the other, results, keys. */
"use strict";

const MOST_ASKS = 4;

var pageRestored = false;

/** Whether jobs of this kind are made by the tab: "img2img-batch" is one of img2img. */
function isKindOf(tab, kind) {
    return kind === tab || kind.startsWith(tab + "-");
}

/** The tab that shows the results of jobs of this kind. */
function tabOfKind(kind) {
    return RESULT_TABS.find((tab) => isKindOf(tab, kind)) || RESULT_TABS[0];
}

/** What this page does about the jobs of one tab. */
class TabTasks {
    constructor(tab) {
        this.tab = tab;
        /** Ids of the jobs that are followed, oldest first; kept in the browser so that a reload finds them again. */
        this.ids = JSON.parse(localGet(tab + "_tasks", "[]"));
        this.lastFinished = localGet(tab + "_last_task", null);
        this.followed = null;
        this.sending = 0; // presses of Generate whose pictures are on their way to the server
        this.seen = new Set();
        /** The job whose result the panel does not show yet but is to, and how often it was asked for: gradio's answers may overtake each other. */
        this.wanted = {id: null, asked: 0, askedAt: 0};
        this.toShow = null;
    }

    keep(ids) {
        this.ids = ids;
        localSet(this.tab + "_tasks", JSON.stringify(ids.slice(-200)));
    }

    add(...ids) {
        if (shownTask(this.tab) === this.wanted.id) this.wanted.id = null;
        this.keep([...this.ids, ...ids.filter((id) => !this.ids.includes(id))]);
        this.followNext();
    }

    setLastFinished(id) {
        this.lastFinished = id;
        localSet(this.tab + "_last_task", id);
    }

    /** Follows the job that runs, else the first that waits. */
    followNext() {
        const known = new Map(queueState.jobs.map((job, place) => [job.id, job.status === "running" ? -1 : place]));
        const next = this.ids.slice().sort((a, b) => (known.get(a) ?? 1e6) - (known.get(b) ?? 1e6))[0];
        if (!next) {
            this.stopFollowing();
            return;
        }
        if (this.followed && this.followed.id === next) return;
        if (this.followed && known.get(next) !== -1) return;
        if (this.followed) this.followed.handle.stop();
        this.followed = {id: next, handle: null};
        const frame = () => byId(this.tab + "_gallery_container");
        this.followed.handle = requestProgress(next, frame, frame, (answer) => this.ended(next, answer), (answer) => this.moved(next, answer), 10);
    }

    stopFollowing() {
        if (this.followed) this.followed.handle.stop();
        this.followed = null;
        showSubmitButtons(this.tab, true);
        showRestoreProgressButton(this.tab, false);
    }

    moved(id, answer) {
        if (!this.followed || this.followed.id !== id) return;
        showSubmitButtons(this.tab, !answer.active);
        if (answer.active) plotMoved(this.tab, id, answer);
        if (answer.queue_size !== queueState.waiting || (answer.active && !queueState.jobs.some((job) => job.id === id && job.status === "running"))) refreshQueue(0);
    }

    ended(id, answer) {
        this.followed = null;
        this.keep(this.ids.filter((task) => task !== id));
        showSubmitButtons(this.tab, true);
        refreshQueue(0);
        if (answer && answer.completed && answer.status !== "cancelled" && !this.isOlder(id)) {
            this.setLastFinished(id);
            this.wanted = {id, asked: 0, askedAt: 0};
            setTimeout(() => this.ensureResult(), 500); // the answer of Generate itself brings the result of most jobs; the others are asked for
        }
        this.followNext();
    }

    /** Whether a job ended before the last one that is known to have ended: short jobs overtake the page's polling. */
    isOlder(id) {
        const ended = (which) => (queueState.recent.find((job) => job.id === which) || {}).ended;
        return ended(id) < ended(this.lastFinished); // false where one of them is not known
    }

    forget(id) {
        if (!this.ids.includes(id)) return;
        this.keep(this.ids.filter((task) => task !== id));
        if (this.followed && this.followed.id === id) this.stopFollowing();
        this.followNext();
    }

    /** Lets go of jobs that ended while another one was followed, and shows the newest of their results. */
    reconcile() {
        const live = new Set(queueState.jobs.map((job) => job.id));
        const over = new Map(queueState.recent.map((job) => [job.id, job]));
        live.forEach((id) => this.seen.add(id));
        const follows = (id) => this.followed && this.followed.id === id;
        const gone = this.ids.filter((id) => !live.has(id) && (over.has(id) || this.seen.has(id)) && !(follows(id) && over.has(id)));
        if (!gone.length) return;
        this.keep(this.ids.filter((id) => !gone.includes(id)));
        if (this.followed && gone.includes(this.followed.id)) this.stopFollowing();
        const last = over.get(this.lastFinished);
        const newest = gone.map((id) => over.get(id)).filter((job) => job && job.pictures_done).sort((a, b) => b.ended - a.ended)[0];
        if (!newest || (last && last.ended > newest.ended)) return;
        this.setLastFinished(newest.id);
        this.show(newest.id);
    }

    show(id) {
        this.wanted = {id, asked: 0, askedAt: 0};
        this.pressShowResult();
    }

    /** Asks again for the wanted result where another one is shown. */
    ensureResult() {
        const {id, asked, askedAt} = this.wanted;
        if (id && shownTask(this.tab) === id) this.wanted.id = null;
        else if (id && asked < MOST_ASKS && Date.now() - askedAt >= 1000) this.pressShowResult();
    }

    /** A tab that was never opened is not in the page: its result is asked for when it is. */
    pressShowResult() {
        if (!byId(this.tab + "_show_result")) return;
        this.wanted.asked += 1;
        this.wanted.askedAt = Date.now();
        this.toShow = this.wanted.id;
        pressHidden(this.tab + "_show_result");
    }

    /** After loading: goes on with the jobs of this browser and the running one, and shows the last result. */
    restore() {
        const ids = new Set(queueState.jobs.map((job) => job.id));
        const running = queueState.jobs.find((job) => job.status === "running" && isKindOf(this.tab, job.kind));
        const kept = this.ids.filter((id) => ids.has(id));
        this.keep(running && !kept.includes(running.id) ? [running.id, ...kept] : kept);
        const finished = queueState.recent.filter((job) => isKindOf(this.tab, job.kind));
        const last = finished.find((job) => job.id === this.lastFinished) || finished.find((job) => job.pictures_done > 0);
        const newest = finished.find((job) => job.status === "done" || job.pictures_done > 0);
        this.lastFinished = ((last && newest && newest.ended > last.ended ? newest : last) || {}).id || null;
        if (this.lastFinished) this.show(this.lastFinished);
        this.followNext();
    }

    /** Whether the panel, if it is in the page, shows the last result. */
    get isCurrent() {
        return !this.lastFinished || !byId(this.tab + "_show_result") || shownTask(this.tab) === this.lastFinished;
    }
}

var tabTasks = Object.fromEntries(RESULT_TABS.map((tab) => [tab, new TabTasks(tab)]));

function allTabTasks() {
    return Object.values(tabTasks);
}

/** How many jobs this page waits for. */
function tasksLeft() {
    return allTabTasks().reduce((count, tasks) => count + tasks.ids.length, 0);
}

function create_submit_args(args) {
    return Array.from(args);
}

/** The step before Generate's request: gives the job its id and begins to follow it. */
function submit() {
    const args = create_submit_args(arguments);
    return safe(() => {
        args[0] = newTask("txt2img");
        return args;
    }, args);
}

function newTask(tab) {
    const id = randomId().replace("(", "(" + tab + "-");
    addTask(tab, id);
    pressAnswered(tab + "_generate"); // gradio has taken the values of the form
    return id;
}

function addTask(tab, id) {
    tabTasks[tab].add(id);
    refreshQueue(300);
}

/** Called when a Generate request was answered. A refused one left no job behind; its id stands in the log line. */
function generateAnswered(tab) {
    refreshQueue(0);
    setTimeout(() => safe(() => {
        const mark = document.querySelector("#html_log_" + tab + " [data-refused]");
        if (mark) tabTasks[tab].forget(mark.dataset.refused);
        else tabTasks[tab].ensureResult();
    }), 300);
}

/** Which job's result the output panel shows. */
function shownTask(tab) {
    return (generationInfo(tab) || {}).job || null;
}

function showResult(tab, id) {
    tabTasks[tab].show(id);
}

/** Shows the result of a job in its own tab. */
function showJob(job) {
    const tab = tabOfKind(job.kind);
    if (currentResultTab() !== tab) switch_to_tab(tab);
    showResult(tab, job.id);
}

function resultToShow(tab) {
    return tabTasks[tab].toShow || tabTasks[tab].lastFinished || "";
}

async function restoreProgress() {
    await refreshQueue(0);
    allTabTasks().forEach((tasks) => tasks.restore());
    pageRestored = true;
}

onUiLoaded(() => restoreProgress().catch((error) => showMessage(error.message, "error")));
onUiTabChange(() => setTimeout(() => allTabTasks().forEach((tasks) => tasks.ensureResult()), 100));

function setUpGenerateBox(tab) {
    listen(tab + "_interrupt", () => stopTask(tab, false));
    listen(tab + "_interrupting", () => stopTask(tab, true));
    listen(tab + "_skip", () => skipTask(tab));
    listen(tab + "_restore_progress", () => restoreProgress());
}

RESULT_TABS.forEach(setUpGenerateBox);

/** Interrupts the followed job. With "Don't Interrupt in the middle" the first press lets the present picture end. */
async function stopTask(tab, atOnce) {
    const {followed} = tabTasks[tab];
    if (!followed) return;
    const gently = Boolean(opts.interrupt_after_current) && !atOnce;
    byId(tab + "_generate_box").setAttribute("data-interrupting", "");
    await callServer("/internal/interrupt", gently ? {id_task: followed.id, after_current: true} : {id_task: followed.id});
}

async function skipTask(tab) {
    const {followed} = tabTasks[tab];
    if (followed) await callServer("/internal/skip", {id_task: followed.id});
}

/* Number boxes of sliders take values beyond the slider; gradio would cut them when the box is left. */
document.addEventListener("blur", (event) => {
    if (event.target.matches && event.target.matches(".settings-column .gradio-slider input[type=number]")) event.stopImmediatePropagation();
}, true);
