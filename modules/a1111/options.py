"""Settings under the names of A1111's `options`."""
from modules.settings.option import OptionHTML, OptionInfo, options_section
from modules.settings.store import Options
