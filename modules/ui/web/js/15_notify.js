/* When the last job of this page is done and nobody looks: a short sound, and a notification of the browser where it is wished. */
"use strict";

var notifyWatch = {left: 0};

/** Two soft tones, made here: no file has to be loaded. */
function playDoneSound(volume) {
    const Audio = window.AudioContext || window.webkitAudioContext;
    if (!Audio || !volume) return;
    const context = new Audio();
    const gain = context.createGain();
    gain.gain.value = 0.15 * volume;
    gain.connect(context.destination);
    [660, 880].forEach((pitch, i) => {
        const tone = context.createOscillator();
        tone.frequency.value = pitch;
        tone.connect(gain);
        tone.start(context.currentTime + i * 0.16);
        tone.stop(context.currentTime + i * 0.16 + 0.14);
    });
    setTimeout(() => context.close(), 1000);
}

function notifyDone() {
    if (document.hasFocus()) return;
    if (opts.notification_audio !== false) playDoneSound((opts.notification_volume ?? 100) / 100);
    if (opts.notification_window && window.Notification && Notification.permission === "granted") {
        const note = new Notification("Easel", {body: "All jobs are done.", icon: addressOf("/easel/easel.svg"), tag: "easel-done"});
        note.onclick = () => { window.focus(); note.close(); };
    }
}

setInterval(() => {
    const left = typeof tasksLeft === "function" && uiIsLoaded ? tasksLeft() : 0;
    if (notifyWatch.left && !left) safe(notifyDone);
    notifyWatch.left = left;
}, 1000);

onOptionsChanged(() => {
    if (opts.notification_window && window.Notification && Notification.permission === "default") Notification.requestPermission();
});
