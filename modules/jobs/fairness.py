"""Whose job comes next: users take turns, each user's own jobs keep their order."""
from collections import Counter
from collections.abc import Sequence

from modules.jobs.job import Job


def user_of(owner: str) -> str:
    """The user in a job's owner, which is a user's name, or that and the page where the job was made: "ann/3f9c"."""
    return owner.partition("/")[0]


def place_among(waiting: Sequence[Job], owner: str, current: Job | None = None) -> int:
    """The index in `waiting` at which a new job of `owner` goes.

    The n-th waiting job of a user stands before the n+1-th of every other one. A running job counts as its user's first. With one
    user that is the end of the queue.
    """
    user = user_of(owner)
    served = user_of(current.owner) if current is not None else None
    rounds: Counter[str] = Counter([served] if served is not None else [])
    own_round = rounds[user] + sum(user_of(job.owner) == user for job in waiting)
    last_own = max((index for index, job in enumerate(waiting) if user_of(job.owner) == user), default=-1)
    for index, job in enumerate(waiting):
        theirs = user_of(job.owner)
        if index > last_own and rounds[theirs] > own_round:
            return index
        rounds[theirs] += 1
    return len(waiting)
