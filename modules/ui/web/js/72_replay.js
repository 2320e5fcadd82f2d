/* Replay & verify: the selected picture is made again in the queue, and the outcome stands under it as text. */
"use strict";

var replayOf = {}; // tab -> id of the replay whose outcome is awaited or shown

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
    replayOf[tab] = job.id;
    const name = picture.path.split(/[\\/]/).pop();
    writeReplay(tab, "running", "Replay of " + name + " waits for its turn.");
    refreshQueue(0);
    requestProgress(job.id, null, null, () => showReplay(tab, job.id, name, shown).catch((error) => writeReplay(tab, "failed", error.message)),
        (answer) => { if (answer.active && replayOf[tab] === job.id) writeReplay(tab, "running", "Replay of " + name + ": " + Math.round((answer.progress || 0) * 100) + " %"); });
}

async function showReplay(tab, id, name, shown) {
    refreshQueue(0);
    if (replayOf[tab] !== id) return; // another one was begun since
    const job = await callServer("/internal/result/" + encodeURIComponent(id));
    const report = (job.result || {}).replay;
    if (!report) {
        writeReplay(tab, "failed", "Replay of " + name + ": it did not come to its end.", [job.error].filter(Boolean));
        return;
    }
    const buttons = report.path ? [["Show the new picture", () => showResult(tab, id)], ["Show the first one", () => showResult(tab, shown)]] : [];
    writeReplay(tab, report.verdict, "Replay of " + name + ": " + replayOutcome(report), report.why, buttons);
}

/** The verdict in a few words. */
function replayOutcome(report) {
    const share = (report.changed_share * 100).toFixed(2) + " %";
    if (report.verdict === "identical") return "identical";
    if (report.verdict === "within tolerance") return "within tolerance (max " + report.max_difference + (report.max_difference === 1 ? " level, " : " levels, ") + share + " of the values)";
    if (report.verdict === "different") return "different (max " + report.max_difference + " levels, " + share + " of the values)";
    return "it cannot be made again";
}

/** Writes the outcome under the buttons of the panel; what the server says is put in as text. */
function writeReplay(tab, verdict, headline, sentences, buttons) {
    const holder = byId("image_buttons_" + tab);
    let report = byId(tab + "_replay_report");
    if (!report) {
        report = made("div", {id: tab + "_replay_report", class: "replay-report", role: "status", "aria-live": "polite"});
        holder.after(report);
    }
    report.dataset.verdict = verdict;
    const links = [...(buttons || []), ...(verdict === "running" ? [] : [["Close", () => report.remove()]])];
    report.replaceChildren(made("strong", {text: headline}), ...(sentences || []).map((sentence) => made("p", {text: sentence})),
        ...(links.length ? [made("div", {class: "buttons"}, ...links.map(([text, action]) => made("button", {type: "button", text, onclick: () => safe(action)})))] : []));
    if (verdict !== "running" && uiElementIsVisible(report)) report.scrollIntoView({block: "nearest"});
}
