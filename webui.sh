#!/usr/bin/env bash
# Starts Easel; the first start sets everything up.
#
#   ./webui.sh [arguments of webui.py]
#   ./webui.sh test [arguments of pytest]
#
# PYTHON            the Python to use (3.11, 3.12 or 3.13); otherwise the first of python3.12, python3.11, python3.13 that runs
# VENV_DIR          where the virtual environment lies (.venv)
# COMMANDLINE_ARGS  more arguments for webui.py
# TORCH_COMMAND, TORCH_INDEX_URL   another way to install torch, e.g. for another kind of graphics card
# All of them can be set in webui-user.sh beside this file (see webui-user.sh.example).
set -u
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" || exit 1
# shellcheck disable=SC1091
[ -f webui-user.sh ] && . ./webui-user.sh
export TORCH_COMMAND="${TORCH_COMMAND:-}" TORCH_INDEX_URL="${TORCH_INDEX_URL:-}"
venv="${VENV_DIR:-.venv}"
python="$venv/bin/python"

fail() {
    echo "$1" >&2
    exit 1
}

# Whether a command is a Python that really runs, of a version that works here.
fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" && { echo "$PYTHON"; return; }
        "$PYTHON" -c '' >/dev/null 2>&1 || fail "PYTHON names $PYTHON, which does not run. Name a Python 3.11, 3.12 or 3.13 there, or leave it empty."
        fail "PYTHON names $PYTHON, which is $("$PYTHON" -V 2>&1); Easel needs Python 3.11, 3.12 or 3.13."
    fi
    for name in python3.12 python3.11 python3.13 python3 python; do
        fits "$name" && { echo "$name"; return; }
    done
    found=$(python3 -V 2>/dev/null || echo "no Python")
    fail "Easel needs Python 3.11, 3.12 or 3.13, and this system has $found. Install one of them, or name one in PYTHON."
}

# The virtual environment, made anew when it is missing or does not run (an interrupted start, a Python that was removed).
make_environment() {
    local base problem
    [ -f "$venv/easel-setup.json" ] && "$python" -c '' 2>/dev/null && return
    "$python" -c 'import pip' 2>/dev/null && return
    base=$(find_python) || exit 1
    echo "Making the virtual environment $venv with $("$base" -V 2>&1) ..."
    problem=$("$base" -m venv --clear "$venv" 2>&1) && return
    # pip's own installer hides why it failed, so the room is asked for.
    [ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 100000 ] || problem="No space left"
    case "$problem" in
    *"No space left"*) fail "The disk is full: the virtual environment $venv could not be made. Free about 3 GB and start again." ;;
    *ermission\ denied* | *"Read-only file system"*) fail "The folder $PWD cannot be written to. Move Easel to a folder of your own." ;;
    *"ensurepip is not"* | *python3*-venv*) fail "This Python cannot make virtual environments. Install its venv package (on Debian and Ubuntu: apt install python3-venv) and start again." ;;
    *) fail "The virtual environment $venv could not be made: $(printf '%s' "$problem" | tail -n 1)" ;;
    esac
}

# Lint, types and tests; with arguments pytest alone, with these. pytest's closing line is the last.
run_tests() {
    local status=0
    if [ $# -gt 0 ]; then
        exec "$python" -m pytest "$@"
    fi
    "$python" -m ruff check . || status=1
    "$python" -m mypy || status=1
    [ $status -eq 0 ] || echo "The checks above failed; the tests follow." >&2
    "$python" -m pytest -n 2 --dist loadfile || status=$?
    exit $status
}

make_environment
if [ "${1:-}" = test ]; then
    shift
    "$python" -I tools/install.py --tests || exit $?
    run_tests "$@"
fi
"$python" -I tools/install.py || exit $?
# COMMANDLINE_ARGS is one line of words; quotes keep words together, and nothing else in it is interpreted.
words=()
if [ -n "${COMMANDLINE_ARGS:-}" ]; then
    while IFS= read -r -d '' word; do words+=("$word"); done < <(printf '%s' "$COMMANDLINE_ARGS" | xargs printf '%s\0')
fi
while :; do
    "$python" webui.py ${words[@]+"${words[@]}"} "$@"
    status=$?
    [ $status -eq 42 ] || exit $status
done
