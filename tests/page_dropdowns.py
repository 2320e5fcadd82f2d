"""Choosing in the page's dropdowns, as a person does: click, then the line of the list."""


def choose_option(page, element: str, name: str) -> None:
    """Choose the option of this name in the dropdown within `element` (a selector)."""
    page.wait_for_function("() => !document.querySelector('[role=option]')")  # the list of the dropdown before may still fade out
    page.click(f"{element} input")
    page.get_by_role("option", name=name, exact=True).click()
