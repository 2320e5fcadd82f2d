"""Users take turns, and each user's own jobs keep their order."""
import itertools
import random

from modules.jobs.fairness import place_among, user_of
from modules.jobs.job import Job


def after(*owners: str, current: str | None = None) -> list[str]:
    """The order of jobs submitted by these owners one after the other, as owner and number."""
    waiting: list[Job] = []
    numbers: dict[str, itertools.count] = {}
    running = Job(id="now", kind="x", request={}, owner=current) if current is not None else None
    for owner in owners:
        number = next(numbers.setdefault(owner, itertools.count(1)))
        waiting.insert(place_among(waiting, owner, running), Job(id=f"{owner}{number}", kind="x", request={}, owner=owner))
    return [job.id for job in waiting]


def test_one_user_has_a_plain_queue():
    assert after("", "", "", current="") == ["1", "2", "3"]


def test_a_second_user_waits_for_one_job_only():
    assert after("a", "a", "a", "b") == ["a1", "b1", "a2", "a3"]
    assert after("a", "a", "a", "b", "b", current="a") == ["b1", "a1", "b2", "a2", "a3"]


def test_three_users_take_turns():
    assert after("a", "a", "b", "b", "c", "c") == ["a1", "b1", "c1", "a2", "b2", "c2"]


def test_pages_of_one_user_count_as_one():
    assert user_of("ann/3f9c") == user_of("ann") == "ann" and user_of("/3f9c") == user_of("") == ""
    assert [name[0] for name in after("a/1", "a/2", "a/3", "b/1")] == ["a", "b", "a", "a"]


def test_the_own_order_holds_whatever_comes_in_between():
    for seed in range(50):
        owners = random.Random(seed).choices("abcd", k=40)
        order = after(*owners, current="a")
        for owner in "abcd":
            assert [int(name[1:]) for name in order if name[0] == owner] == list(range(1, owners.count(owner) + 1))
