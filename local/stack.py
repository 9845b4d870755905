"""The embedded stack: MiniStack and Redis on this machine, with the real template deployed on them.

`make up`, `make down` and `make clean` work on the one in .local/stack; the demo and the tests start ones of their own.
"""

import argparse
import hashlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from local import aws, bridge, build, redis_server, sam_local, tokens
from local.aws import DeployedStack
from local.errors import LocalError, run
from local.files import locked, try_lock
from local.paths import BIN, CONSOLE_FILE, ENV_FILE, LOCAL, ROOT, STACK_NAME
from local.processes import LOG_TAIL_LINES, Server
from local.routes import add_routes

DEFAULT_PORT = 4566
DIRECTORY = LOCAL / "stack"
"""Of the stack that `make up` keeps."""
TOKEN_HOURS = 30 * 24
CONSOLE_HOURS = 12
_DEPLOYED = "/sluice/deployed"
"""An SSM parameter of the embedded stack that names what was deployed: it lives and dies with MiniStack's state."""

Tell = Callable[[str], None]


@dataclass
class EmbeddedStack:
    """A stack in a directory of its own: state, logs, pid files. Nothing of it is anywhere else."""

    directory: Path
    port: int
    redis_port: int
    tell: Tell = field(default=lambda line: print(line, flush=True), repr=False)
    overrides: dict[str, str] = field(default_factory=dict)
    """Parameters of the template, beside those that a stack on this machine always has."""

    @staticmethod
    def at(directory: Path, port: int | None = None, tell: Tell | None = None) -> "EmbeddedStack":
        """The stack of that directory at the ports it had, or at `port` and a free one, with the parameters it had."""
        ports = directory / "ports.json"
        known = json.loads(ports.read_text()) if ports.exists() else {}
        port = port or known.get("port") or DEFAULT_PORT
        stack = EmbeddedStack(directory, port, known.get("redis_port") or 0)
        if stack._kept.exists():
            stack.overrides |= json.loads(stack._kept.read_text())
        if tell:
            stack.tell = tell
        return stack

    @property
    def ministack(self) -> Server:
        return Server("ministack", self.directory)

    @property
    def redis(self) -> Server:
        return Server("redis", self.directory)

    @property
    def bridge(self) -> Server:
        return Server("bridge", self.directory)

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def redis_url(self) -> str:
        return redis_server.given_url() or f"redis://127.0.0.1:{self.redis_port}"

    @property
    def parameters(self) -> dict[str, str]:
        """Of the template, where they differ from its defaults."""
        return {
            "SweepRate": "rate(1 minute)",
            "Architecture": build.this_architecture(),
            "RedisUrl": self.redis_url,
            "RedisMode": redis_server.given_mode(),
            "ConsoleOrigin": self.endpoint_url,
            "SessionUrl": f"{self.endpoint_url}/_aws/execute-api/{STACK_NAME}-session",
            "PrivateRanges": "127.0.0.0/8",  # receivers of webhooks, and fakes of providers, are on this machine
            "LiveUrl": f"ws://127.0.0.1:{self.port}/_aws/execute-api/{STACK_NAME}-live/live",
            **self.overrides,
        }

    @property
    def _kept(self) -> Path:
        """What `overrides` were at the last deployment. CloudFormation keeps a parameter until it is given again."""
        return self.directory / "parameters.json"

    def build(self) -> AbstractContextManager[build.Build]:
        """As `build.built`, for this machine and this stack's escrow."""
        return build.built(build.this_architecture(), escrow=self.parameters.get("Escrow", "ledger"))

    @cached_property
    def deployed(self) -> DeployedStack:
        return DeployedStack.embedded(STACK_NAME, self.endpoint_url)

    @property
    def api_url(self) -> str:
        return f"{self.endpoint_url}/_aws/execute-api/{self.deployed.resources()['Api']}"

    def is_running(self) -> bool:
        return self.ministack.is_running()

    def start(self) -> None:
        """Starts what does not run: MiniStack, with the state it was stopped with, and Redis."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.is_running() and self._known_port() != self.port:
            raise LocalError(
                f"The stack already runs, on port {self._known_port()}. To move it: make down, then make up."
            )
        was_running = self.is_running()
        if not was_running:
            _require_free(self.port)
            self._prepare()
        try:
            if not was_running:
                command = [sys.executable, "-m", "local.ministack"]
                self.ministack.start(command, self._ministack_environment(), self._is_ready)
            if not redis_server.given_url() and not self.redis.is_running():
                self.redis_port = _free_port(preferred=self.redis_port or self.port + 1)
                redis_server.start(self.redis, self.redis_port)
        except BaseException:
            if not was_running:
                self.stop()
            raise
        ports = {"port": self.port, "redis_port": self.redis_port}
        (self.directory / "ports.json").write_text(json.dumps(ports))

    def start_and_build(self) -> None:
        """As `start`, and meanwhile builds the functions and layers that `deploy` takes."""
        with ThreadPoolExecutor(1) as aside:
            starting = aside.submit(self.start)
            with self.build():
                starting.result()

    def deploy(self) -> bool:
        """Builds and deploys the template when anything of it or of its parameters changed. Whether it did."""
        with self.build() as current:
            all_of_it = (current.digest, (ROOT / "samconfig.toml").read_text(), json.dumps(self.parameters))
            wanted = hashlib.sha256("".join(all_of_it).encode()).hexdigest()
            if self._deployed_digest() == wanted and self.deployed.exists():
                return False
            unknown = self.overrides.keys() - json.loads(current.packaged.read_text())["Parameters"].keys()
            if unknown:  # sam ignores them
                raise LocalError(f"The template has no parameter {', '.join(sorted(unknown))}.")
            self.tell("Deploying template.yaml ...")
            self.deployed.clear_failed_creation()
            self._sam_deploy(current.packaged)
        routes = add_routes(self.deployed)
        self.tell(f"Added {routes} routes to the HTTP API.")
        self.deployed.client("ssm").put_parameter(Name=_DEPLOYED, Value=wanted, Type="String", Overwrite=True)
        self._kept.write_text(json.dumps(self.overrides))
        return True

    def open_to_containers(self) -> bool:
        """Lets containers on Docker's bridge reach MiniStack and Redis. False where this machine has no such bridge.

        Raises LocalError when the bridge's address cannot be listened on.
        """
        self.bridge.stop()
        if bridge.address() is None:
            return False
        redis = urlsplit(self.redis_url)
        ports = [self.port, *([redis.port or 6379] if redis.hostname in sam_local.THIS_MACHINE else [])]
        self.bridge.start(
            [sys.executable, "-m", "local.bridge", *map(str, ports)],
            os.environ | {"PYTHONPATH": str(ROOT)},
            lambda: bridge.READY in self.bridge.log.read_text(),
        )
        return True

    def stop(self) -> None:
        """Ends what `start` and `open_to_containers` started. The data stays."""
        self._end(Server.stop)

    def remove(self) -> None:
        """Kills it and forgets everything. Each function's process would take up to half a second of CPU to end."""
        try:
            self._end(Server.kill)
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _end(self, how: Callable[[Server], None]) -> None:
        try:
            how(self.bridge)
            how(self.ministack)
        finally:
            how(self.redis)

    def environment(self) -> dict[str, str]:
        """What a shell needs to talk to it."""
        return {
            "API_URL": self.api_url,
            "ADMIN_TOKEN": (admin := tokens.mint(self.deployed, "admin", hours=TOKEN_HOURS)),
            "SLUICE_URL": self.api_url,
            "SLUICE_TOKEN": admin,
            "OPERATOR_TOKEN": tokens.mint(self.deployed, "operator", hours=TOKEN_HOURS),
            "STACK_NAME": STACK_NAME,
            "REDIS_URL": self.redis_url,
            **({} if redis_server.given_url() else {"EMBEDDED_REDIS_URL": self.redis_url}),
            "AWS_ENDPOINT_URL": self.endpoint_url,
            **aws.CREDENTIALS,
            "AWS_DEFAULT_REGION": aws.REGION,
            "AWS_REGION": aws.REGION,
        }

    def _ministack_environment(self) -> dict[str, str]:
        """The functions inherit this environment, so it holds nothing of the user's that could change what they do."""
        kept = {
            name: value
            for name, value in aws.environment(self.endpoint_url).items()
            if not name.startswith(("PYTHON", "VIRTUAL_ENV", "REDIS_", "POWERTOOLS_", "SAM_", "UV_", "PIP_"))
        }
        return kept | {
            "PYTHONPATH": str(ROOT),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.directory / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.directory / "s3"),
            "TMPDIR": str(self.directory / "tmp"),
            "LAMBDA_WARM_TTL_SECONDS": "3600",
            # Nothing listens but the one port, and nothing touches the Docker of this machine.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{self.directory / 'no-docker.sock'}",
        }

    def _is_ready(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint_url}/_ministack/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _sam_deploy(self, template: Path) -> None:
        command = [
            *(str(BIN / "sam"), "deploy"),
            *("--config-env", "local", "--config-file", str(ROOT / "samconfig.toml")),
            # JSON is read in a hundredth of the time, by sam and by MiniStack.
            *("--template-file", str(template), "--use-json", "--stack-name", STACK_NAME),
            *("--parameter-overrides", *(f"{name}='{value}'" for name, value in self.parameters.items())),
        ]
        log = self.directory / "deploy.log"
        environment = build.environment() | aws.environment(self.endpoint_url)
        environment["PATH"] = build.environment()["PATH"]
        environment["SAM_CLI_POLL_DELAY"] = "0.5"
        with log.open("w") as output:
            ended = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
            )
        if ended.returncode:
            reasons = self.deployed.failures() or log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
            told = "\n".join(f"  {reason}" for reason in reasons)
            raise LocalError(f"`sam deploy` failed:\n{told}\nMore in {log} and {self.ministack.log}.")

    def _deployed_digest(self) -> str:
        parameters = self.deployed.client("ssm").get_parameters(Names=[_DEPLOYED])["Parameters"]
        return str(parameters[0]["Value"]) if parameters else ""

    def _known_port(self) -> int | None:
        ports = self.directory / "ports.json"
        return json.loads(ports.read_text())["port"] if ports.exists() else None

    def _prepare(self) -> None:
        """The directories, without what a server that was killed left there: objects that no saved state knows."""
        shutil.rmtree(self.directory / "tmp", ignore_errors=True)
        if not any((self.directory / "state").glob("*.json")):
            shutil.rmtree(self.directory / "s3", ignore_errors=True)
        for folder in ("state", "s3", "tmp"):
            (self.directory / folder).mkdir(exist_ok=True)


def running() -> EmbeddedStack:
    """The stack of `make up`; `LocalError` when it does not run."""
    stack = EmbeddedStack.at(DIRECTORY)
    if not stack.is_running():
        raise LocalError(
            "The embedded stack does not run: `make up` starts it. For a stack on AWS give STACK=<its name>."
        )
    return stack


@contextmanager
def temporary(name: str, tell: Tell | None = None) -> Iterator[EmbeddedStack]:
    """A stack that was never there before and is gone afterwards, beside any other. Not started yet.

    Its directory is the first of .local/<name>, .local/<name>-2, ... that no living process uses; what a killed
    process left running there is stopped.
    """
    for number in range(1, 100):
        directory = LOCAL / (name if number == 1 else f"{name}-{number}")
        lock = try_lock(LOCAL / f"{directory.name}.lock")
        if lock is None:
            continue
        try:
            EmbeddedStack.at(directory).remove()
            stack = EmbeddedStack.at(directory, _free_port(), tell)
            try:
                yield stack
            finally:
                stack.remove()
        finally:
            os.close(lock)
        return
    raise LocalError(f"There are 99 stacks named {name} under {LOCAL}: that cannot be meant.")


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    if not taken:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken = True
    if taken:
        raise LocalError(
            f"Port {port} is taken by another program (make up of another clone, MiniStack, LocalStack?). "
            f"End that program, or use another port: make up PORT={_free_port(port + 10)}"
        )


def _free_port(preferred: int = 0) -> int:
    """`preferred` when it is free, else one that the system picks."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalError("This machine has no free port.")


def write_env(stack: EmbeddedStack, file: Path = ENV_FILE) -> None:
    """For `source .local/env`: one quoted line per name. It holds tokens, so only its owner can read it."""
    lines = [f"export {name}={_quoted(value)}\n" for name, value in stack.environment().items()]
    _write_secret(file, "".join(lines))


def _write_secret(file: Path, text: str) -> None:
    """For its owner alone, from the first byte on."""
    partial = file.with_suffix(".new")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(file)


def tell_link(stack: EmbeddedStack, address: str, file: Path = CONSOLE_FILE) -> None:
    """Say how to open the console signed in: on a terminal by a link with a token, else by a file that has it.

    What is captured is kept, and often shown to others; whoever has such a link is an admin for 12 hours.
    """
    link = f"{address}#token={tokens.mint(stack.deployed, 'admin', hours=CONSOLE_HOURS)}"
    if sys.stdout.isatty():
        file.unlink(missing_ok=True)
        print(f"         {link}\n         signs you in as an admin for {CONSOLE_HOURS} hours")
    else:
        _write_secret(file, f"{link}\n")
        print(f"         a link that signs you in as an admin for {CONSOLE_HOURS} hours is in {_shown(file)}")


def _shown(file: Path) -> Path:
    return file.relative_to(ROOT) if file.is_relative_to(ROOT) else file


def _quoted(value: str) -> str:
    quoted = shlex.quote(value)
    return quoted if quoted.startswith("'") else f"'{quoted}'"


def parameters_of(text: str) -> dict[str, str]:
    """The parameters in `Name=value Name="value with spaces"`. Raises LocalError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise LocalError(f"PARAMETERS={text} cannot be read: {error}.") from error
    found = dict(word.partition("=")[::2] for word in words)
    if any("=" not in word or word.startswith("=") for word in words):
        raise LocalError(f"PARAMETERS={text} is not <name>=<value>, with a space between two.")
    return found


def up(port: int | None, parameters: dict[str, str]) -> None:
    stack = EmbeddedStack.at(DIRECTORY, port)
    stack.overrides |= parameters
    was_running = stack.is_running()
    if not was_running:
        print("Starting MiniStack and Valkey, and building the functions and layers ...", flush=True)
    stack.start_and_build()
    if not stack.deploy():
        print("The stack is up to date." if was_running else "The stack is as it was deployed last.")
    write_env(stack)
    with stack.build() as current:
        sam_local.write(stack.deployed, stack.port, current.template)
    try:
        if stack.open_to_containers():
            print(f"Containers on Docker's bridge {bridge.DEVICE} reach it too, for sam local.")
    except LocalError as error:
        print(f"`sam local` will not reach the stack from its containers: {error}", file=sys.stderr)
    print(f"Ready: {stack.api_url}")
    print(
        f"       source {ENV_FILE.relative_to(ROOT)}   for the addresses and tokens; make logs, make down, make clean"
    )
    print(f"Console: {stack.api_url}/console")
    tell_link(stack, f"{stack.api_url}/console")


def down() -> None:
    stack = EmbeddedStack.at(DIRECTORY)
    if not stack.is_running() and not stack.redis.is_running():
        print("The stack does not run.")
        return
    stack.stop()
    print("Stopped. The data is kept: `make up` goes on with it, `make clean` forgets it.")


def clean() -> None:
    EmbeddedStack.at(DIRECTORY).remove()
    ENV_FILE.unlink(missing_ok=True)
    CONSOLE_FILE.unlink(missing_ok=True)
    shutil.rmtree(sam_local.DIRECTORY, ignore_errors=True)
    print("The embedded stack and its data are gone.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start, deploy what changed, write .local/env")
    start.add_argument("--port", type=int)
    start.add_argument("--parameters", default="", help="of the template: `WithLive=false LogLevel=DEBUG`")
    commands.add_parser("down", help="stop and keep the data")
    commands.add_parser("clean", help="stop and forget the data")
    given = parser.parse_args()
    with locked(LOCAL / "stack.lock", holder="another make up, make down or make clean"):
        if given.command == "up":
            up(given.port, parameters_of(given.parameters))
        elif given.command == "down":
            down()
        else:
            clean()


if __name__ == "__main__":
    run(main)
