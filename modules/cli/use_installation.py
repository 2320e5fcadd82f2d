"""python webui.py use-installation FOLDER: models of another program used where they are, its settings taken over."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from modules import cmd_args, engine
from modules.existing_installation import look_at
from modules.import_plan import PARTS, Change, ImportPlan, Target, apply_plan, plan_of
from modules.settings.catalog import built_in_options
from modules.settings.store import Options
from modules.styles import StyleTable

DESCRIPTION = """Show what is in the folder of another program (A1111, Forge, SD.Next, ComfyUI, InvokeAI) and what using it would change
here; with --apply, change it. Models stay where they are, nothing is copied. Easel must not run meanwhile: it would store its own
settings over the new ones."""


def main(argv: Sequence[str]) -> int:
    """Show, or carry out, what `argv` names; returns the exit status. Raises UserError."""
    args = parser().parse_args(list(argv))
    folders = engine.folders_of(args)
    engine.make_folders(folders)
    settings = Options(built_in_options(), folders.config_file, is_frozen=args.freeze_settings)
    settings.load()
    target = Target(settings=settings, folders=engine.with_named_folders(folders, settings),
                    styles=StyleTable(folders.styles_files or [folders.styles_file]))
    plan = plan_of(look_at(args.folder), target)
    parts = args.parts.split(",") if args.parts else list(PARTS)
    print("\n".join(lines_of(plan)))
    if not args.apply:
        print("\nNothing was changed. Add --apply to use it." if not plan.is_empty else "\nThere is nothing to change.")
        return 0
    print("\n" + "\n".join(apply_plan(plan, target, parts)))
    return 0


def parser() -> argparse.ArgumentParser:
    """The flags of the program, the folder, and what to do with it."""
    made = cmd_args.make_parser()
    made.prog, made.description = "webui.py use-installation", DESCRIPTION
    made.add_argument("folder", type=Path, metavar="FOLDER", help="where the other program is installed")
    made.add_argument("--apply", action="store_true", help="change what is shown")
    made.add_argument("--parts", metavar="PART,...", help=f"only these of {', '.join(PARTS)}")
    return made


def lines_of(plan: ImportPlan) -> list[str]:
    """The plan as text for a terminal."""
    found = plan.installation
    lines = [f"{found.program} in {found.root}"]
    lines += _part("Models, used where they are", [
        f"{folder.title}: {folder.files:,} in {folder.path} ({folder.bytes / 1e9:.1f} GB)" for folder in plan.folders])
    lines += _part("In use already", [f"{folder.title}: {folder.path}" for folder in plan.used_already])
    lines += _part("Settings (config.json)", [_change(change) for change in plan.settings])
    lines += _part("Kept for extensions", [f"{len(plan.kept)} settings that Easel itself does not know"] if plan.kept else [])
    lines += _part("Defaults of the form (ui-config.json)", [_change(change) for change in plan.form])
    lines += _part("Styles (styles.csv)", [style.name for style in plan.styles])
    return lines + [f"\n{note}" for note in plan.notes]


def _part(title: str, rows: Sequence[str]) -> list[str]:
    return [f"\n{title}", *(f"  {row}" for row in rows)] if rows else []


def _change(change: Change) -> str:
    return f"{change.label}: stays {change.before!r}. {change.problem}" if change.problem else (
        f"{change.label}: {change.before!r} -> {change.after!r}")
