"""Real servers on the loopback interface for the tests of the inboxes: SFTP, S3, IMAP, and a line that breaks."""

from __future__ import annotations

import asyncio
import imaplib
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

HOST = "127.0.0.1"
USER = "thu_nhan"
PASSWORD = "Bí mật:@/#số 1"
PASSWORD_IN_ADDRESS = quote(PASSWORD, safe="")
CONNECT_SECONDS = 20


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + CONNECT_SECONDS
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


@dataclass
class SftpServer:
    """asyncssh over ``root``. ``host_key`` is its public key, ``known_hosts`` a file that trusts it."""

    port: int
    root: Path
    host_key: str
    known_hosts: Path

    def address(self, path: str = "/den", password: str = PASSWORD_IN_ADDRESS, port: int | None = None) -> str:
        where = f"{HOST}:{port or self.port}"
        return f"sftp://{USER}:{password}@{where}{path}?known_hosts={self.known_hosts}"

    def put(self, path: str, data: bytes, at: datetime | None = None) -> Path:
        import os

        target = self.root / "den" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if at:
            os.utime(target, (at.timestamp(), at.timestamp()))
        return target


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    import asyncssh

    class Login(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    root = folder / "sftp"
    (root / "den").mkdir(parents=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()

    async def listen() -> Any:
        return await asyncssh.listen(
            HOST,
            0,
            server_factory=Login,
            server_host_keys=[key],
            sftp_factory=partial(asyncssh.SFTPServer, chroot=str(root).encode()),
        )

    listener = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    host_key = key.export_public_key().decode().strip()
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"* {host_key}\n", encoding="utf-8")
    try:
        yield SftpServer(listener.get_port(), root, host_key, known_hosts)
    finally:
        asyncio.run_coroutine_threadsafe(_close_ssh(listener), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _close_ssh(listener: Any) -> None:
    listener.close()
    await listener.wait_closed()
    left = asyncio.all_tasks() - {asyncio.current_task()}  # of clients that went away without a word
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@dataclass
class S3Server:
    """moto's server with one bucket; it checks keys and signatures."""

    port: int
    key: str
    secret: str
    bucket: str = "bao-cao"

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def address(self, prefix: str = "den", secret: str | None = None, port: int | None = None) -> str:
        account = f"{quote(self.key, safe='')}:{quote(secret or self.secret, safe='')}"
        endpoint = quote(f"http://{HOST}:{port or self.port}", safe="")
        return f"s3://{account}@{self.bucket}/{prefix}?endpoint={endpoint}&region=us-east-1"

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )

    def put(self, path: str, data: bytes) -> None:
        self.client().put_object(Bucket=self.bucket, Key=f"den/{path}", Body=data)


@contextmanager
def s3_server() -> Iterator[S3Server]:
    import json
    import logging

    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(HOST, 0, verbose=False)
    running.start()
    port = running.get_host_and_port()[1]
    try:
        # moto keeps its state for the whole process: a server that was stopped leaves its users and objects behind.
        urllib.request.urlopen(urllib.request.Request(f"http://{HOST}:{port}/moto-api/reset", method="POST")).close()
        iam = boto3.client(
            "iam",
            endpoint_url=f"http://{HOST}:{port}",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            region_name="us-east-1",
        )
        iam.create_user(UserName=USER)
        made = iam.create_access_key(UserName=USER)["AccessKey"]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName=USER, PolicyName="all", PolicyDocument=json.dumps(policy))
        server = S3Server(port, made["AccessKeyId"], made["SecretAccessKey"])
        server.client().create_bucket(Bucket=server.bucket)
        _check_signatures(port, "0")
        yield server
        _check_signatures(port, "inf")
    finally:
        running.stop()


def _check_signatures(port: int, after_calls: str) -> None:
    request = urllib.request.Request(
        f"http://{HOST}:{port}/moto-api/reset-auth",
        data=after_calls.encode(),
        headers={"Content-Type": "text/plain"},
        method="POST",
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


@dataclass
class ImapServer:
    """pymap with one mailbox."""

    port: int

    def address(self, folder: str = "INBOX", password: str = PASSWORD_IN_ADDRESS, port: int | None = None) -> str:
        return f"imap://{USER}:{password}@{HOST}:{port or self.port}/{folder}"

    @contextmanager
    def client(self) -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4(HOST, self.port, timeout=20)
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        yield client
        client.logout()

    def deliver(self, mail: bytes, at: datetime, folder: str = "INBOX") -> None:
        """The mail as the office's server takes it at that moment."""
        with self.client() as client:
            status, answer = client.append(folder, "", at, mail)
            assert status == "OK", answer


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    port = closed_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from pymap.main import main; main()"),
            *("--host", HOST, "--port", str(port), "--no-tls", "--no-service", "managesieve"),
            *("dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        server = ImapServer(port)
        with server.client() as client:
            client.select("INBOX")
            client.store("1:*", "+FLAGS", r"\Deleted")
            client.expunge()
        yield server
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class BreakingLine:
    """A relay to a server: it breaks for good once the server has sent so many bytes."""

    port: int
    limit_bytes: int
    sent: int = 0
    sockets: list[socket.socket] = field(default_factory=list)


@contextmanager
def breaking_line(to_port: int, limit_bytes: int) -> Iterator[BreakingLine]:
    listener = socket.create_server((HOST, 0))
    line = BreakingLine(listener.getsockname()[1], limit_bytes)

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            if line.sent >= line.limit_bytes:
                near.close()
                continue
            far = socket.create_connection((HOST, to_port))
            line.sockets += [near, far]
            threading.Thread(target=pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=pump, args=(far, near, True), daemon=True).start()

    def pump(source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if counted:
                    line.sent += len(data)
                    if line.sent > line.limit_bytes:
                        break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield line
    finally:
        listener.close()
        for end in line.sockets:
            end.close()


@contextmanager
def silent_server() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.create_server((HOST, 0)) as listener:
        yield int(listener.getsockname()[1])
