/* Replay & verify: the selected picture is made again in the queue, and the outcome stands under it as text. */
"use strict";

var replayOf = {}; // tab, or other place -> id of the replay whose outcome is awaited or shown

GENERATING_TABS.forEach((tab) => listen(tab + "_replay", () => replaySelected(tab)));

/** Queues the replay of the selected picture and follows it. */
async function replaySelected(tab) {
    const shown = shownOrSay(tab);
    if (!shown) return;
    const index = Math.max(0, selected_gallery_index());
    const answer = await callServer("/internal/result/" + encodeURIComponent(shown));
    const picture = (answer.result ? answer.result.images : answer.pictures)[index];
    if (!picture || picture.is_grid) {
        showMessage(picture ? "A grid is put together from pictures; choose one of them to replay it." : "Choose a finished picture to replay it.");
        return;
    }
    const job = await callServer("/internal/replay", {path: picture.path});
    followReplay({key: tab, place: byId("image_buttons_" + tab), name: picture.path.split(/[\\/]/).pop(),
        buttons: () => [["Show the new picture", () => showResult(tab, job.id)], ["Show the first one", () => showResult(tab, shown)]]}, job.id);
}

/** Writes under an element of the page how far a replay is and what came of it: {key, place, name, buttons (for a new picture)}. */
function followReplay(where, id) {
    replayOf[where.key] = id;
    writeReplay(where, "running", "Replay of " + where.name + " waits for its turn.");
    refreshQueue(0);
    requestProgress(id, null, null, () => showReplay(where, id).catch((error) => writeReplay(where, "failed", error.message)),
        (answer) => { if (answer.active && replayOf[where.key] === id) writeReplay(where, "running", "Replay of " + where.name + ": " + Math.round((answer.progress || 0) * 100) + " %"); });
}

async function showReplay(where, id) {
    refreshQueue(0);
    if (replayOf[where.key] !== id) return; // another one was begun since
    const job = await callServer("/internal/result/" + encodeURIComponent(id));
    const report = (job.result || {}).replay;
    if (!report) {
        writeReplay(where, "failed", "Replay of " + where.name + ": it did not come to its end.", [job.error].filter(Boolean));
        return;
    }
    writeReplay(where, report.verdict, "Replay of " + where.name + ": " + replayOutcome(report), report.why, report.path ? where.buttons() : []);
}

/** The verdict in a few words. */
function replayOutcome(report) {
    const share = (report.changed_share * 100).toFixed(2) + " %";
    if (report.verdict === "identical") return "identical";
    if (report.verdict === "within tolerance") return "within tolerance (max " + report.max_difference + (report.max_difference === 1 ? " level, " : " levels, ") + share + " of the values)";
    if (report.verdict === "different") return "different (max " + report.max_difference + " levels, " + share + " of the values)";
    return "it cannot be made again";
}

/** Writes the outcome at its place; what the server says is put in as text. */
function writeReplay(where, verdict, headline, sentences, buttons) {
    let report = byId(where.key + "_replay_report");
    if (!report) {
        report = made("div", {id: where.key + "_replay_report", class: "replay-report", role: "status", "aria-live": "polite"});
        where.place.after(report);
    }
    report.dataset.verdict = verdict;
    const links = [...(buttons || []), ...(verdict === "running" ? [] : [["Close", () => report.remove()]])];
    report.replaceChildren(made("strong", {text: headline}), ...(sentences || []).map((sentence) => made("p", {text: sentence})),
        ...(links.length ? [made("div", {class: "buttons"}, ...links.map(([text, action]) => made("button", {type: "button", text, onclick: () => safe(action)})))] : []));
    if (verdict !== "running" && uiElementIsVisible(report)) report.scrollIntoView({block: "nearest"});
}
