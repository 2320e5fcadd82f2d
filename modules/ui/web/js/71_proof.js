/* The proof of inpainting under the gallery: what was counted outside the mask of the selected picture. */
"use strict";

/** What the badge says of a proof {applies, changed, why}: {kind, text}; null without one. */
function proofText(proof) {
    if (!proof) return null;
    if (!proof.applies) return {kind: "none", text: "Not proven that the rest is unchanged: " + proof.why};
    const count = proof.changed === 1 ? "1 pixel" : proof.changed.toLocaleString("en") + " pixels";
    return {kind: proof.changed ? "changed" : "kept", text: count + " changed outside the mask"};
}

function showProof(tab) {
    const buttons = byId("image_buttons_" + tab);
    if (!buttons) return;
    const proofs = (generationInfo(tab) || {}).proofs || [];
    const said = proofText(proofs[Math.max(0, selected_gallery_index())]);
    let badge = byId(tab + "_proof");
    if (!said) {
        if (badge) badge.remove();
        return;
    }
    if (!badge) {
        badge = made("p", {id: tab + "_proof", class: "proof-badge", role: "status"});
        buttons.before(badge);
    }
    if (badge.textContent === said.text) return;
    badge.dataset.kind = said.kind;
    badge.textContent = said.text;
    badge.title = "Every pixel outside the mask was compared with the input after the job";
}

onAfterUiUpdate(() => GENERATING_TABS.filter((tab) => uiElementIsVisible(galleryOf(tab))).forEach(showProof));
