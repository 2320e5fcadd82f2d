/* A short tour with the demo model: a first picture, painting a part anew, and a plot. Each step points at what it speaks of. */
"use strict";

/** {text, at: what it points at, before: makes the step possible, done: true when the person did it}. */
const TOUR = [
    {text: "Here you say what you want to see. The demo model knows simple things; this is a start.", at: () => byId("txt2img_prompt"),
        before: async () => {
            switch_to_tab("txt2img");
            const box = await whenInPage(() => textareaOf("txt2img_prompt"));
            if (!box.value.trim()) { box.value = "a red circle on a blue background"; updateInput(box); }
        }},
    {text: "Press Generate, or Ctrl+Enter. Each press adds a job to the queue; pictures are saved by themselves.", at: () => byId("txt2img_generate"),
        before: async () => { tour.known = shownTask("txt2img"); }, done: () => shownTask("txt2img") && shownTask("txt2img") !== tour.known},
    {text: "That is your picture. These buttons save it, make it again, vary it, compare it, or take it elsewhere. The last but one sends it to be painted on: press it.", at: () => byId("txt2img_send_to_inpaint"),
        done: () => { const content = get_uiCurrentTabContent(); return Boolean(content) && content.id === "tab_img2img"; }},
    {text: "Paint over what shall change, with the mouse, a pen or a finger. Nothing outside of it will change.", at: () => byId(modeNamed("inpaint").canvas),
        before: async () => { switch_to_tab("img2img"); await whenInPage(() => byId("img2img_generate")); }},
    {text: "Say what shall be there instead, for instance “a green circle on a blue background”, and press Generate.", at: () => byId("img2img_generate"),
        before: async () => { tour.known = shownTask("img2img"); }, done: () => shownTask("img2img") && shownTask("img2img") !== tour.known},
    {text: "To see what a setting does, right-click its slider and choose Sweep: a grid of pictures with other values is made.", at: () => byId("txt2img_cfg_scale"),
        before: async () => { switch_to_tab("txt2img"); await whenInPage(() => byId("txt2img_cfg_scale")); }},
    {text: "Everything that you made is in the gallery: search it, mark it, go on from it.", at: () => byId("tab_gallery-button")},
    {text: "For real pictures, add a checkpoint: this button takes files and addresses. Press ? for the keyboard, and have fun.", at: () => byId("model_manager_button") || byId("setting_sd_model_checkpoint")},
];

var tour = {step: -1, known: null, timer: null};

function tourBox() {
    if (byId("tour")) return byId("tour");
    const box = made("section", {id: "tour", role: "dialog", "aria-label": "Tour", "aria-live": "polite"}, made("p", {class: "tour-text"}),
        made("div", {class: "tour-buttons"}, made("span", {class: "tour-count"}), made("button", {type: "button", class: "plain", text: "End", onclick: endTour}),
            made("button", {type: "button", class: "dialog-button", id: "tour_next", text: "Next", onclick: () => goTour(tour.step + 1)})));
    document.body.append(box);
    box.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); endTour(); } });
    return box;
}

function startTour() {
    goTour(0).catch((error) => showMessage(error.message, "error"));
}

function endTour() {
    clearInterval(tour.timer);
    tour.step = -1;
    localSet("easel_tour", "done");
    document.querySelectorAll("[data-tour]").forEach((element) => delete element.dataset.tour);
    const box = byId("tour");
    if (box) box.remove();
}

async function goTour(step) {
    clearInterval(tour.timer);
    if (step >= TOUR.length) return endTour();
    tour.step = step;
    const {text, at, before, done} = TOUR[step];
    if (before) await before();
    const box = tourBox();
    box.querySelector(".tour-text").textContent = text;
    box.querySelector(".tour-count").textContent = step + 1 + " of " + TOUR.length;
    byId("tour_next").textContent = step === TOUR.length - 1 ? "Done" : done ? "Skip" : "Next";
    document.querySelectorAll("[data-tour]").forEach((element) => delete element.dataset.tour);
    const target = await whenInPage(at);
    target.dataset.tour = "";
    target.scrollIntoView({block: "center"});
    placeTour(box, target);
    byId("tour_next").focus({preventScroll: true});
    tour.timer = setInterval(() => {
        placeTour(box, target);
        if (done && done()) goTour(step + 1).catch((error) => showMessage(error.message, "error"));
    }, 300);
}

/** Beside what it points at, inside the window. */
function placeTour(box, target) {
    const place = target.getBoundingClientRect();
    const below = place.bottom + 12 + box.offsetHeight < window.innerHeight;
    const top = below ? place.bottom + 12 : Math.max(12, place.top - box.offsetHeight - 12);
    box.style.top = Math.min(top, window.innerHeight - box.offsetHeight - 12) + "px";
    box.style.left = Math.max(12, Math.min(place.left, window.innerWidth - box.offsetWidth - 12)) + "px";
}

listen("tour_button", startTour);
