var seen = {order: ["10"], loaded: 0, updates: 0, afterUpdates: 0, tabs: [], options: 0, early: document.readyState === "loading"};

document.addEventListener("DOMContentLoaded", () => { seen.contentLoaded = true; });
onUiLoaded(() => {
    seen.loaded++;
    seen.idsAtOnce = ["txt2img_prompt", "txt2img_generate", "img2img_image", "img2maskimg", "img2img_prompt", "setting_samples_format",
        "setting_page_of_a_test", "tab_number", "tab_told", "footer", "extras_image", "script_txt2img_page_of_a_test_word"]
        .filter((id) => !gradioApp().getElementById(id));
    seen.tabAtLoad = get_uiCurrentTab().id;
});
onUiLoaded(() => { throw new Error("one that fails"); });
onUiUpdate((records) => { seen.updates += records ? 1 : 0; });
onAfterUiUpdate(() => { seen.afterUpdates++; });
onUiTabChange(() => { seen.tabs.push(get_uiCurrentTabContent() ? get_uiCurrentTabContent().id : null); });
onOptionsChanged(() => { seen.options++; });
