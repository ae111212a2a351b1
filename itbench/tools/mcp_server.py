"""The tools of one snapshot over the Model Context Protocol: stdio, or streamable HTTP.

What is read-only says so; on a live incident kubectl and findings are not. There are no resources and no
prompts: nothing but the tools can be asked.
"""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from itbench import __version__
from itbench.model.errors import MissingExtraError, UsageError
from itbench.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

PATH = "/mcp"
_INSTRUCTIONS = (
    "Tools over the recording of one incident in a Kubernetes cluster: alerts, events, objects, logs, traces, metrics "
    "and costs. Start with incident_overview. Answers are pages: the first line says how many rows there are, and the "
    "next offset."
)


def require_mcp() -> None:
    """See that the SDK is there.

    Raises:
        MissingExtraError: it is not; the message says how to install it.
    """
    if importlib.util.find_spec("mcp") is None or importlib.util.find_spec("mcp_types") is None:
        raise MissingExtraError("mcp (2.x)", "mcp", "itbench mcp")


def build(toolbox: Toolbox) -> Server[None]:
    """A server that offers the tools of `toolbox`; several clients may call at once."""
    import anyio
    import mcp_types as types
    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server

    reads = types.ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    changes = types.ToolAnnotations(read_only_hint=False, open_world_hint=False)
    offered = [
        types.Tool(
            name=spec.name,
            description=spec.description,
            input_schema=spec.parameters,
            annotations=changes if spec.changes else reads,
        )
        for spec in toolbox.specs()
    ]

    async def list_tools(
        _context: ServerRequestContext[None], _request: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=offered)

    async def call_tool(_context: ServerRequestContext[None], request: types.CallToolRequestParams) -> types.CallToolResult:
        answer = await anyio.to_thread.run_sync(toolbox.call, request.name, request.arguments or {})
        return types.CallToolResult(content=[types.TextContent(type="text", text=answer.text)], is_error=answer.is_error)

    return Server(
        "itbench", version=__version__, instructions=_INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )  # fmt: skip


def serve_stdio(toolbox: Toolbox) -> None:
    """Serve one client on standard input and output, until it hangs up."""
    import anyio
    from mcp.server.stdio import stdio_server

    server = build(toolbox)

    async def serve() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(serve)


def serve_http(toolbox: Toolbox, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve clients over streamable HTTP until the process is interrupted.

    Args:
        toolbox: what is served.
        host: address to bind. On loopback, requests for other host names are refused (DNS rebinding).
        port: 0 for a free one.
        ready: is told the URL once connections are accepted.

    Raises:
        UsageError: the address cannot be bound.
    """
    import anyio
    import uvicorn

    listener = _listen(host, port)
    with listener:
        app = build(toolbox).streamable_http_app(streamable_http_path=PATH, host=host)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{listener.getsockname()[1]}{PATH}")
        anyio.run(lambda: server.serve(sockets=[listener]))


def _listen(host: str, port: int) -> socket.socket:
    listener: socket.socket | None = None
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        hint = "Choose another HOST:PORT; port 0 takes a free one"
        raise UsageError(f"cannot listen on {host}:{port}: {error}", hint=hint) from error
    return listener
