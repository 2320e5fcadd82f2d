"""Every tab by the rules of axe: nothing serious stands in the way of screen readers and keyboards, in light and dark."""
import importlib.util
from pathlib import Path

import pytest

AXE = Path(importlib.util.find_spec("axe_playwright_python").origin).parent / "axe.min.js"
TABS = ("txt2img", "img2img", "gallery", "extras", "pnginfo", "modelmerger", "settings", "extensions")
# gradio's own markup, which its scripts rewrite: a drop-down names its list while that is closed, and a number box of a slider has the
# label of its range. The sign of an empty gallery is gradio's too.
NOT_OURS = {"aria-valid-attr-value", "aria-allowed-attr"}
# Until nothing in the page has changed for 300 ms: a tab is made when it is first opened, and names are put on after that.
QUIET = """() => new Promise((resolve) => {
    const changed = () => { clearTimeout(timer); timer = setTimeout(() => { observer.disconnect(); resolve(); }, 300); };
    const observer = new MutationObserver(changed);
    let timer = null;
    observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    changed();
})"""


def serious(tab, rules):
    """[rule: the elements that break it] of what is in sight, as axe grades it; `rules` narrows down which are tried."""
    asked = "async rules => await axe.run({exclude: [['.gradio-gallery .empty']]}, {resultTypes: ['violations'], ...rules})"
    result = tab.evaluate(asked, rules)
    return [f"{found['id']}: {[(node['target'][0], node['any'][0]['message'][:120] if node['any'] else '') for node in found['nodes']][:6]}"
            for found in result["violations"]
            if found["impact"] in ("serious", "critical") and found["id"] not in NOT_OURS]


@pytest.mark.parametrize(("theme", "rules"), [("light", {}), ("dark", {"runOnly": ["color-contrast"]})], ids=["light", "dark"])
def test_no_tab_has_a_serious_finding(easel, theme, rules):
    easel.open(f"?__theme={theme}")
    easel.tab.add_script_tag(path=str(AXE))
    found = {}
    for name in TABS:
        easel.tab.click(f"#tab_{name}-button")
        easel.tab.evaluate(QUIET)
        if problems := serious(easel.tab, rules):
            found[name] = problems
    assert found == {}
