"""Stopping and restarting the program through the API; only with --api-server-stop."""
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from modules.api.own_queue import admin_only
from modules.errors import UserError

RESTART = 42


class NotServed(UserError):
    """The app runs inside another server, which alone can end it."""

    status = 501


def add_server_control(router: APIRouter) -> None:
    """The three routes. With a login they are for administrators."""
    for_admins = [Depends(admin_only)]

    @router.post("/server-kill", dependencies=for_admins)
    async def server_kill(request: Request) -> None:
        """End the program without waiting for answers that are still being sent. Jobs that wait are offered at the next start."""
        end(request.app, is_forced=True)

    @router.post("/server-stop", dependencies=for_admins)
    async def server_stop(request: Request) -> Response:
        """End the program when the answers that are being sent are complete."""
        end(request.app)
        return PlainTextResponse("Stopping.")

    @router.post("/server-restart", dependencies=for_admins)
    async def server_restart(request: Request) -> Response:
        """The same, with the exit status at which webui.sh starts the program again."""
        end(request.app, exit_status=RESTART)
        return PlainTextResponse("Restarting.")


def end(app: FastAPI, *, exit_status: int = 0, is_forced: bool = False) -> None:
    """Have the server of this app end. Raises NotServed."""
    server = getattr(app.state, "server", None)
    if server is None:
        raise NotServed("The program cannot be stopped this way.", "It runs inside another server.")
    app.state.exit_status = exit_status
    server.should_exit = True
    server.force_exit = server.force_exit or is_forced
