"""For installers of extensions, which import `launch`: the names of modules/launch_utils.py."""
from modules import launch_utils
from modules.launch_utils import (
    check_run,
    check_run_python,
    commit_hash,
    dir_repos,
    git,
    git_clone,
    git_tag,
    index_url,
    is_installed,
    list_extensions,
    python,
    repo_dir,
    requirements_met,
    run,
    run_pip,
    script_path,
)

args = launch_utils.args

__all__ = ["args", "check_run", "check_run_python", "commit_hash", "dir_repos", "git", "git_clone", "git_tag", "index_url", "is_installed",
           "list_extensions", "python", "repo_dir", "requirements_met", "run", "run_pip", "script_path"]
