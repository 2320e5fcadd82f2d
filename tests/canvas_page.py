"""A small page with one canvas of each kind on a real server, for the browser tests and the benchmark of the canvas."""
import json
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn
from server_process import free_port

KINDS = ("view", "sketch", "mask", "paint_mask")


class Program:
    """As much of a runtime as the canvas asks for."""

    def __init__(self, root: Path):
        folders = {name: root / name for name in ("outputs", "log", "results", "temporary")}
        for folder in folders.values():
            folder.mkdir(parents=True)
        self.folders = SimpleNamespace(**folders, shown=(), data=root)
        self.args = SimpleNamespace(theme="", theme_dark=False, localizations_dir=None)
        self.settings = SimpleNamespace(data={})
        self.extensions: list[Any] = []


class CanvasPage:
    """Serves the page from a thread. `received` holds what the handler of the button got, newest last: CanvasFiles or an error."""

    def __init__(self, root: Path):
        self.program = Program(root)
        self.received: list[Any] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: uvicorn.Server | None = None

    def __enter__(self) -> "CanvasPage":
        os.environ["GRADIO_TEMP_DIR"] = str(self.program.folders.temporary)
        self.server = uvicorn.Server(uvicorn.Config(self.app(), port=self.port, log_level="error"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)

    def app(self) -> Any:
        import gradio as gr
        from fastapi import FastAPI

        from modules.api.answers import add_error_answers
        from modules.ui.mask_canvas import canvas_router
        from modules.ui.pictures import pictures_router
        from modules.ui.server import HeadInjector, head_html
        from modules.ui.theme import theme
        from modules.ui.web_files import WebFiles

        app = FastAPI()
        add_error_answers(app)
        app.include_router(pictures_router(self.program))
        app.include_router(canvas_router(self.program))
        app.add_api_route("/internal/queue", lambda: {"unchanged": True}, methods=["GET"])
        app = gr.mount_gradio_app(app, self.blocks(), path="/", ssr_mode=False, footer_links=[], theme=theme(), run_history=False)
        app.add_middleware(HeadInjector, head=head_html(self.program))
        app.add_middleware(WebFiles)
        return app

    def blocks(self) -> Any:
        import gradio as gr

        from modules.errors import UserError
        from modules.ui.components import hidden_text
        from modules.ui.mask_canvas import canvas, canvas_files

        def receive(payload: str) -> str:
            try:
                self.received.append(canvas_files(self.program, None, payload))
            except UserError as error:
                self.received.append(error)
            return str(len(self.received))

        with gr.Blocks(title="Canvas") as blocks:
            gr.Textbox(label="Prompt", elem_id="txt2img_prompt")
            with gr.Tabs():
                for kind in KINDS:
                    with gr.Tab(kind, elem_id=f"tab_{kind}"):
                        canvas(f"canvas_{kind}", kind)
            payload, count = hidden_text("payload"), hidden_text("count")
            for kind in KINDS:
                button = gr.Button(f"Send {kind}", elem_id=f"send_{kind}")
                button.click(receive, payload, count, js=f"async () => JSON.stringify(await canvasOf('canvas_{kind}').exported())")
            gr.HTML(f"<span>{json.dumps(KINDS)}</span>", elem_id="footer")
        return blocks
