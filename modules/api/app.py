"""Putting the routes and their protection on an app, with or without a page."""
import argparse

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from modules import script_callbacks
from modules.api.answers import add_error_answers
from modules.api.api import api_router
from modules.api.docs import add_docs
from modules.api.extensions import extensions_router
from modules.api.gallery import gallery_router
from modules.api.guard import MIB, Guard, GuardOptions
from modules.api.inspect import inspect_router
from modules.api.internal import internal_router
from modules.api.jobs import jobs_router
from modules.api.login import Login, admins_of, logins_of
from modules.api.own_files import PATH_SETTINGS, settings_for_users
from modules.api.picture_text import picture_text_router
from modules.api.plots import plots_router
from modules.api.replay import replay_router
from modules.api.request_log import RequestLog
from modules.api.subpath import Subpath, prefix_of
from modules.generation.limits import admission
from modules.jobs.queue import MAX_WAITING
from modules.runtime import Runtime
from modules.version import version_text


def add_routes(app: FastAPI, rt: Runtime) -> None:
    """/internal for the page, /sdapi/v1 and /docs with --api or --nowebui. To be called before gradio is mounted at "/"."""
    add_error_answers(app)
    apply_limits(rt)
    app.include_router(internal_router(rt))
    app.include_router(replay_router(rt))
    app.include_router(inspect_router(rt))
    app.include_router(plots_router(rt))
    app.include_router(gallery_router(rt))
    app.include_router(extensions_router(rt))
    app.include_router(picture_text_router())
    if rt.args.api or rt.args.nowebui:
        app.include_router(api_router(rt))
        app.include_router(jobs_router(rt))
        add_docs(app)


def apply_limits(rt: Runtime) -> None:
    """Have the queue keep to the limits of the command line and users to their folders, and the settings too where strangers may come."""
    rt.queue.admit = admission(rt.args)
    rt.queue.most_waiting = rt.args.limit_queue or MAX_WAITING
    rt.queue.settings_for = settings_for_users(admins_of(rt.args, logins_of(rt.args)))
    if rt.args.hide_ui_dir_config:
        rt.settings.lock((key for key in rt.settings.data_labels if key.startswith(PATH_SETTINGS)),
                         "Settings that name folders cannot be changed here.")


def add_protection(app: FastAPI, args: argparse.Namespace) -> None:
    """Guard, login and CORS before everything. To be called last: middleware added later comes first."""
    origins = names_in(args.cors_allow_origins)
    if origins:
        app.add_middleware(CORSMiddleware, allow_origins=sorted(origins), allow_methods=["*"], allow_headers=["*"], allow_credentials=True)
    logins = logins_of(args)
    app.add_middleware(Login, logins=logins, admins=admins_of(args, logins))
    app.add_middleware(Guard, options=guard_options(args))
    if args.api_log:
        app.add_middleware(RequestLog)
    if prefix := prefix_of(args.subpath):
        app.add_middleware(Subpath, prefix=prefix)


def guard_options(args: argparse.Namespace) -> GuardOptions:
    """What the command line lets in."""
    hosts = {name.lower() for name in names_in(",".join(args.allowed_hosts))}
    if args.share:
        hosts.add(".gradio.live")
    if args.server_name:
        hosts.add(args.server_name.lower())
    body_bytes = args.limit_request_mb * MIB if args.limit_request_mb else GuardOptions.body_bytes
    return GuardOptions(host_names=frozenset(hosts), origins=names_in(args.cors_allow_origins), body_bytes=body_bytes,
                        upload_bytes=args.limit_request_mb * MIB if args.limit_request_mb else GuardOptions.upload_bytes)


def names_in(text: str | None) -> frozenset[str]:
    """The parts of a comma-separated list; "*" is no name and is left out."""
    return frozenset(part.strip().rstrip("/") for part in (text or "").split(",") if part.strip() not in ("", "*"))


def build_api_app(rt: Runtime) -> FastAPI:
    """The server without a page (--nowebui)."""
    app = FastAPI(title="Easel", version=version_text(), docs_url=None, redoc_url=None)
    add_routes(app, rt)
    script_callbacks.call("app_started", None, app, note=rt.notice)
    add_protection(app, rt.args)
    return app
