"""Stopping a job in the middle of hooks and of a script's several runs."""


def test_an_interrupt_inside_a_hook_is_no_error_of_the_script_and_keeps_what_is_finished(made, recorder, rt):
    recorder.WISHES["process_batch"] = lambda event: rt.state.interrupt() if event["batch_number"] == 1 else None
    job = made(status="interrupted", n_iter=3)
    assert len(job.result["images"]) == 1 and not [note for note in job.result["notes"] if "failed" in note]


def test_a_skipped_batch_leaves_the_seeds_of_the_others(made, recorder, rt):
    recorder.WISHES["process_batch"] = lambda event: rt.state.skip() if event["batch_number"] == 0 else None
    job = made(n_iter=3)
    assert [image["seed"] for image in job.result["images"]] == [2, 3]


def test_counters_of_several_runs_add_up(made, recorder, rt):
    counts = []
    recorder.WISHES["process_batch"] = lambda event: counts.append((rt.state.job_no, rt.state.job_count))
    made(scripts={"selected": "Several Runs", "args": {"Several Runs": [3]}}, enable_hr=True)
    assert counts == [(0, 6), (2, 6), (4, 6)]
