"""Runs inside the sandbox, by itself: gives a program one TCP port of its own loopback that leads to one socket outside.

usage: relay.py SOCKET PORT PROGRAM ARGUMENT…

The sandbox has no network but this loopback, so that the program reaches the API server behind the socket and nothing else.
The relay stays a child of the program and goes with the sandbox.
"""

import os
import socket
import sys
import threading

_BLOCK = 65536


def main() -> None:
    """Listen, leave a child to relay, and become the program."""
    path, port, program = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    if os.fork() == 0:
        for stream in (0, 1, 2):  # nobody waits for what this end might still say
            os.dup2(os.open(os.devnull, os.O_RDWR), stream)
        while True:
            serve(listener.accept()[0], path)
    listener.close()
    try:
        os.execvp(program[0], program)  # noqa: S606 - that is what this is for
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


def serve(client: socket.socket, path: str) -> None:
    """Pass on bytes in both directions until both ends are done."""
    server = socket.socket(socket.AF_UNIX)
    try:
        server.connect(path)
    except OSError:
        client.close()
        return
    for source, target in ((client, server), (server, client)):
        threading.Thread(target=copy, args=(source, target), daemon=True).start()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on bytes in one direction."""
    try:
        while block := source.recv(_BLOCK):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


main()
