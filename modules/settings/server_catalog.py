"""Settings of the server. Clients of the API may not change them: they say what the server does for clients."""
from modules.settings.row import Section, check, text

SERVER_SECTIONS = (
    Section(id="API", title="API", category="system", rows=(
        check("api_enable_requests", False, "Fetch pictures that a request of the API names by their address", restrict_api=True,
              info="http:// and https://, at most 64 MB"),
        check("api_forbid_local_requests", True, "Never fetch them from this machine or its own network", restrict_api=True),
        text("api_useragent", "", "User agent for fetching", restrict_api=True),
    )),
)  # fmt: skip
