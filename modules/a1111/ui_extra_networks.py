"""Pages of cards under the names of A1111's `ui_extra_networks`; pages of extensions are remembered and not shown."""
import json
import os

extra_pages: list = []
allowed_dirs: set = set()
default_allowed_preview_extensions = ["png", "jpg", "jpeg", "webp", "gif"]


def register_page(page) -> None:
    """Remember a page."""
    extra_pages.append(page)
    allowed_dirs.clear()


def register_default_pages() -> None:
    """Nothing: the program has pages of its own."""


def initialize() -> None:
    """Begin anew."""
    extra_pages.clear()


def quote_js(text: str) -> str:
    """A text as a string of javascript."""
    return json.dumps(text)


def get_metadata(page: str = "", item: str = ""):
    """What a page says of one of its items."""
    for one in extra_pages:
        if one.name == page:
            return one.metadata.get(item) or {}
    return {}


class ExtraNetworksPage:
    """Cards of one kind."""

    def __init__(self, title: str):
        self.title, self.name = title, title.lower()
        self.id_page = self.name.replace(" ", "_")
        self.items: dict = {}
        self.metadata: dict = {}
        self.extra_networks_tabname = self.name.replace(" ", "_")
        self.allow_prompt, self.allow_negative_prompt = True, False
        self.card_page = self.card_tpl = ""

    def refresh(self) -> None:
        """Look at the files again."""

    def list_items(self):
        """The items."""
        return []

    def create_item(self, name, index=None, enable_filter: bool = True):
        """One item."""

    def allowed_directories_for_previews(self) -> list:
        """Folders with pictures of items."""
        return []

    def read_user_metadata(self, item: dict, use_cache: bool = True) -> None:
        """Read the notes beside an item's file."""
        path = os.path.splitext(item.get("filename") or "")[0] + ".json"
        try:
            with open(path, encoding="utf8") as file:
                item["user_metadata"] = json.load(file)
        except (OSError, ValueError):
            item["user_metadata"] = {}

    def link_preview(self, filename: str) -> str:
        """The address of a picture."""
        return f"file={filename}?{os.path.getmtime(filename)}"

    def find_preview(self, path: str):
        """The address of the picture beside a file; None where there is none."""
        for ending in default_allowed_preview_extensions:
            for file in (f"{path}.preview.{ending}", f"{path}.{ending}"):
                if os.path.isfile(file):
                    return self.link_preview(file)
        return None

    def find_description(self, path: str):
        """The text beside a file; None where there is none."""
        try:
            with open(f"{path}.txt", encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return None

    def create_user_metadata_editor(self, ui, tabname):
        """None: the program has an editor of its own."""

    def get_sort_keys(self, path: str) -> dict:
        """By what cards can be sorted."""
        changed = os.path.getmtime(path) if os.path.exists(path) else 0
        return {"date_created": 0, "date_modified": changed, "name": os.path.basename(path).lower(), "path": path.lower()}


def pages_in_preferred_order(pages):
    """The pages."""
    return list(pages)


