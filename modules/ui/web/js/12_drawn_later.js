/* Parts of a tab that are drawn right after it (drawn_later in components.py): the tab opens at once. */
"use strict";

const DRAW_LATER_MS = 30; // the tab itself is seen by then

/** Has gradio draw the parts whose tab is there. */
function drawLaterParts() {
    for (const button of document.querySelectorAll("button.draw-later:not([data-asked])")) {
        button.dataset.asked = "yes";
        setTimeout(() => button.click(), DRAW_LATER_MS);
    }
}

onUiUpdate(drawLaterParts);

wholePageParts.push(async () => {
    drawLaterParts();
    for (const button of document.querySelectorAll("button.draw-later")) await whenInPage(() => byId(button.id.replace(/_draw$/, "")));
});
