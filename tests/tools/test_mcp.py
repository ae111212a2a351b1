"""The tools over MCP, asked by the client of the official SDK, over both transports."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from itbench.model.errors import MissingExtraError, UsageError
from itbench.tools import mcp_server
from itbench.tools.registry import tools
from tests.tools.conftest import incident

mcp = pytest.importorskip("mcp")
pytestmark = pytest.mark.integration
COMMAND = [sys.executable, "-m", "itbench.cli.main", "mcp"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    incident().write(tmp_path / "data")
    (tmp_path / "data" / "ground_truth.yaml").write_text("groups: [{id: secret-root}]\n")
    return tmp_path / "data"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}


def over_stdio(folder: Path, environment: dict[str, str], ask: Callable[[Any], Awaitable[None]]) -> None:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    async def main() -> None:
        server = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], str(folder)], env=environment)
        async with stdio_client(server) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            await ask(client)

    asyncio.run(asyncio.wait_for(main(), 60))


def over_http(url: str, ask: Callable[[Any], Awaitable[None]]) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def main() -> None:
        async with streamable_http_client(url) as (read, write, *_), ClientSession(read, write) as client:
            await client.initialize()
            await ask(client)

    asyncio.run(asyncio.wait_for(main(), 60))


@contextmanager
def serving(folder: Path, environment: dict[str, str], address: str) -> Iterator[str]:
    command = [*COMMAND, str(folder), "--http", address]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"http://\S+", line)
            assert found, line
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            finally:
                process.kill()


async def look_around(client: Any) -> None:
    listed = (await client.list_tools()).tools
    assert [each.name for each in listed] == [name for name, each in tools().items() if each.needs is None]
    for each in listed:
        assert each.annotations.read_only_hint
        assert each.input_schema == tools()[each.name].spec.parameters
        if not each.input_schema.get("required"):
            answer = await client.call_tool(each.name, {})
            assert not answer.is_error
            assert 40 <= len(answer.content[0].text) <= 20_000
    wrong = await client.call_tool("logs", {"service": "crt"})
    assert wrong.is_error
    assert "Did you mean cart" in wrong.content[0].text
    assert (await client.call_tool("nothing", {})).is_error


async def attack(client: Any) -> None:
    for query in ("SELECT * FROM read_text('{}')", "SELECT * FROM '{}'", "SELECT * FROM glob('{}*')"):
        answer = await client.call_tool("sql", {"query": query.format("ground_truth.yaml")})
        assert answer.is_error
        assert "secret-root" not in answer.content[0].text


def test_a_client_over_stdio_gets_every_tool(folder: Path, environment: dict[str, str]) -> None:
    async def ask(client: Any) -> None:
        await look_around(client)
        await attack(client)

    over_stdio(folder, environment, ask)


def test_clients_over_http_get_every_tool_at_once(folder: Path, environment: dict[str, str]) -> None:
    async def twice(client: Any) -> None:
        await asyncio.gather(look_around(client), attack(client))

    with serving(folder, environment, "127.0.0.1:0") as url:
        assert url.startswith("http://127.0.0.1:")
        over_http(url, twice)
        over_http(url, look_around)


def test_requests_for_another_host_name_are_refused(folder: Path, environment: dict[str, str]) -> None:
    import httpx2

    with serving(folder, environment, ":0") as url:
        answer = httpx2.post(url, headers={"Host": "evil.example"}, json={})
        assert answer.status_code == 421


def test_the_server_ends_with_its_client(folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [*COMMAND, str(folder)], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, env=environment, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_server.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'itbench[mcp]'")):
        mcp_server.require_mcp()


def test_an_address_that_is_taken_is_the_users_mistake(toolbox: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="cannot listen on"):
        mcp_server.serve_http(toolbox, "127.0.0.1", taken.getsockname()[1], ready=lambda _: None)
