"""The sockets of a server: those that others connect to, and those between its own processes."""

import socket
from pathlib import Path
from typing import Any

from plangate.errors import AuditError, CannotDecideError
from plangate.server.messages import Call, Frames, Refused, Returned, frame


def bind(address: str) -> socket.socket:
    """A listening socket that others may share, one for each process."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host.strip("[]"), int(port)))
    listener.listen(2_048)
    return listener


def socket_path(folder: Path, name: str) -> str:
    """Where a process of this server listens for the others."""
    return str(folder / f"{name}.sock")


def listen_privately(path: str) -> socket.socket:
    """A listening Unix socket that only this user can open.

    Raises:
        CannotDecideError: Its path is longer than systems let the path of a socket be, about 100 bytes.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
    except OSError as error:
        if error.errno is not None:
            raise
        # Python's own refusal, which says nothing of the path.
        raise CannotDecideError(
            f"{path}: too long a path for a socket", hint="TMPDIR names a folder with a shorter one"
        ) from error
    Path(path).chmod(0o600)
    listener.listen(64)
    return listener


def call_log(path: str, name: str, /, **arguments: Any) -> Any:
    """Ask the log writer, and wait.

    Raises:
        AuditError: There is no answer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30.0)
        try:
            connection.connect(path)
            connection.sendall(frame(Call(number=1, name=name, arguments=arguments)))
            frames = Frames()
            while data := connection.recv(1 << 16):
                for message in frames.feed(data):
                    if isinstance(message, Returned):
                        return message.value
                    if isinstance(message, Refused):
                        raise AuditError(message.message, hint=message.hint)
        except OSError as error:
            raise AuditError(f"the log did not answer: {error.strerror or type(error).__name__}") from error
    raise AuditError("the process that writes the log ended unexpectedly")
