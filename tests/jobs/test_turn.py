"""The turn: fair, re-entrant, exclusive."""
import threading
import time

import pytest

from modules.jobs.turn import Turn


def test_the_holder_may_take_the_turn_again():
    turn = Turn()
    with turn, turn:
        assert turn.is_mine
    assert not turn.locked()


def test_the_turn_goes_to_the_one_who_has_waited_longest():
    turn, order, threads = Turn(), [], []

    def take(number: int) -> None:
        with turn:
            order.append(number)

    with turn:
        for number in range(8):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while len(turn._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join(5)
    assert order == list(range(8))


def test_a_wait_that_times_out_leaves_no_trace():
    turn, result = Turn(), []
    with turn:
        thread = threading.Thread(target=lambda: result.append(turn.acquire(timeout=0.02)))
        thread.start()
        thread.join(5)
    assert result == [False] and not turn.locked()
    assert turn.acquire(blocking=False)


def test_releasing_what_one_does_not_hold_is_an_error():
    with pytest.raises(RuntimeError):
        Turn().release()


def test_two_threads_are_never_in_it_at_once():
    turn, inside, worst = Turn(), [], []

    def visit() -> None:
        for _ in range(200):
            with turn:
                inside.append(1)
                worst.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=visit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert max(worst) == 1
