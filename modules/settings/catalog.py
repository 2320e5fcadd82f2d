"""Every built-in setting, as data: sections in the order of the Settings tab."""
from modules.settings.files_catalog import FILE_SECTIONS
from modules.settings.networks_catalog import NETWORK_SECTIONS
from modules.settings.option import OptionInfo
from modules.settings.page_catalog import PAGE_SECTIONS
from modules.settings.picture_catalog import PICTURE_SECTIONS
from modules.settings.results_catalog import RESULT_SECTIONS
from modules.settings.row import Section
from modules.settings.server_catalog import SERVER_SECTIONS

SECTIONS: tuple[Section, ...] = (*FILE_SECTIONS, *PICTURE_SECTIONS, *NETWORK_SECTIONS, *RESULT_SECTIONS, *PAGE_SECTIONS, *SERVER_SECTIONS)


def built_in_options() -> dict[str, OptionInfo]:
    """A fresh OptionInfo for every built-in setting, by key."""
    return {row.key: row.option(section) for section in SECTIONS for row in section.rows}
