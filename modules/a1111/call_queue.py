"""The turn at the model under the names of A1111's `call_queue`; extensions that make pictures in their own routes take it."""
import functools
import html
import time

from modules import errors, runtime
from modules._live import live
from modules.errors import UserError

live(__name__, computed={"queue_lock": lambda: runtime.current().queue.turn})


def wrap_queued_call(func):
    """`func`, run when nobody else uses the model."""
    @functools.wraps(func)
    def queued(*args, **kwargs):
        with runtime.current().queue.turn:
            return func(*args, **kwargs)
    return queued


def wrap_gradio_gpu_call(func, extra_outputs=None):
    """`func` of a page's button, run in its turn with the counters of a job; see wrap_gradio_call."""
    @functools.wraps(func)
    def counted(*args, **kwargs):
        rt = runtime.current()
        with rt.queue.turn:
            rt.state.begin(getattr(func, "__name__", "call"))
            try:
                return func(*args, **kwargs)
            finally:
                rt.state.end()
    return wrap_gradio_call(counted, extra_outputs=extra_outputs, add_stats=True)


def wrap_gradio_call(func, extra_outputs=None, add_stats: bool = False):
    """`func` with its errors written into its last output, which is HTML; with `add_stats` the time taken stands there too."""
    @functools.wraps(func)
    def guarded(*args, **kwargs):
        began = time.perf_counter()
        try:
            result = list(func(*args, **kwargs))
        except Exception as error:  # an extension's fault becomes a sentence in its own output
            if not isinstance(error, UserError):
                errors.report(f"{getattr(func, '__module__', '')}.{getattr(func, '__name__', 'call')} failed", error)
            said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            result = [*(extra_outputs if extra_outputs is not None else [None, ""]), f'<div class="error">{html.escape(said)}</div>']
        if add_stats:
            taken = f'<div class="performance"><p class="time">Time taken: {time.perf_counter() - began:.1f} s</p></div>'
            result[-1] = f'{result[-1] or ""}{taken}'
        return tuple(result)
    return guarded


wrap_gradio_call_no_job = wrap_gradio_call
