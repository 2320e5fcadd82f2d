"""Schedules under the names of A1111's `sd_schedulers`."""
from modules.sampling.schedules import SCHEDULES

schedulers = list(SCHEDULES)
schedulers_map = {key: row for row in SCHEDULES for key in (row.name, row.label)}
