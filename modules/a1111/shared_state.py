"""The state of the running job under the name of A1111's `shared_state`."""
from modules.jobs.state import JobState as State
