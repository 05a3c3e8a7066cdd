"""How long clients may take, by timers that run out when a test says so."""

import asyncio
import contextlib
import socket

import pytest
import uvicorn
from uvicorn.server import ServerState

from tf_unsup3d.serving import connections
from tf_unsup3d.serving.connections import connection_class
from tf_unsup3d.serving.limits import Limits

LIMITS = Limits(receive_seconds=7.0)
KEEP_ALIVE_SECONDS = 60
BODY = bytes(4 * 2**20)


class HandTimedLoop:
    """An event loop whose timers run out by hand."""

    def __init__(self, loop):
        self._loop = loop
        self._timers = []

    def __getattr__(self, name):
        return getattr(self._loop, name)

    def call_later(self, seconds, function):
        # Only its cancel() counts.
        handle = asyncio.Handle(function, (), self._loop)
        self._timers.append((seconds, function, handle))
        return handle

    def run_out(self, seconds):
        """Calls what waits for so many seconds."""
        due = [timer for timer in self._timers if timer[0] == seconds]
        self._timers = [timer for timer in self._timers if timer[0] != seconds]
        for _, function, handle in due:
            if not handle.cancelled():
                function()


class Client:
    """A client that has asked for `BODY`, more than it takes at once."""

    def __init__(self, connection, sock):
        self.loop = connection.loop
        self._connection = connection
        self._socket = sock
        self.received = b""

    @property
    def left(self):
        return self._connection.transport.get_write_buffer_size()

    @property
    def dropped(self):
        return self._connection.transport.is_closing()

    async def take(self):
        """Takes some, until the server has less left."""
        left = self.left
        while self.left >= left:
            await self._receive()

    async def take_all(self):
        while not self.received.endswith(BODY):
            await self._receive()

    async def _receive(self):
        part = await asyncio.get_running_loop().sock_recv(self._socket, 2**16)
        assert part
        self.received += part


@contextlib.asynccontextmanager
async def asking(count=1, limits=LIMITS):
    """As many clients, one after the other, that have asked and taken nothing yet."""

    async def application(scope, receive, send):
        head = {"type": "http.response.start", "status": 200}
        length = (b"content-length", str(len(BODY)).encode())
        await send({**head, "headers": [length]})
        await send({"type": "http.response.body", "body": BODY})

    config = uvicorn.Config(
        application,
        http=connection_class(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    loop = asyncio.get_running_loop()
    state, connections = ServerState(), []

    def connect():
        connection = config.http_protocol_class(config, state, {}, HandTimedLoop(loop))
        connections.append(connection)
        return connection

    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            await loop.create_server(connect, "127.0.0.1", 0)
        )
        # So that the system takes little at a time.
        server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
        clients = []
        for number in range(count):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
            sock.setblocking(False)
            await loop.sock_connect(sock, server.sockets[0].getsockname())
            await loop.sock_sendall(sock, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while len(connections) <= number or not connections[number].cycle:
                await asyncio.sleep(0)
            clients.append(Client(connections[number], sock))
            while not clients[number].left:
                await asyncio.sleep(0)
        yield clients
        for connection in connections:
            connection.transport.abort()


def run(scenario):
    async def main():
        async with asking() as clients:
            await scenario(*clients)

    asyncio.run(asyncio.wait_for(main(), 120))


def test_a_client_may_take_an_answer_slowly():
    async def scenario(client):
        for _ in range(5):
            await client.take()
            client.loop.run_out(LIMITS.receive_seconds)
            assert not client.dropped
        # It is not idle either.
        client.loop.run_out(KEEP_ALIVE_SECONDS)
        assert not client.dropped and client.left
        await client.take_all()
        client.loop.run_out(LIMITS.receive_seconds)
        assert not client.dropped
        client.loop.run_out(KEEP_ALIVE_SECONDS)
        assert client.dropped

    run(scenario)


@pytest.mark.parametrize("taken", [False, True])
def test_a_client_that_stops_taking_an_answer_is_dropped(taken):
    async def scenario(client):
        if taken:
            await client.take()
        while not client.dropped:
            # What the system sends by itself counts as taken.
            left = client.left
            client.loop.run_out(LIMITS.receive_seconds)
            await asyncio.sleep(0)
            assert client.left <= left

    run(scenario)


def test_answers_that_are_not_taken_are_bounded_together():
    async def main():
        # Two of them, hardly begun, are too much.
        limits = Limits(receive_seconds=7.0, answers_bytes=len(BODY) + 2**20)
        async with asking(3, limits) as (first, second, third):
            assert first.dropped and second.dropped and not third.dropped
            await third.take_all()

    asyncio.run(asyncio.wait_for(main(), 120))


def test_connections_beyond_the_limit_are_told_so_and_more_are_closed(monkeypatch):
    monkeypatch.setattr(connections, "_ANSWERED_BEYOND", 1)

    async def main():
        config = uvicorn.Config(
            None,
            http=connection_class(Limits(connections=2)),
            ws="none",
            lifespan="off",
            log_config=None,
        )
        config.load()
        loop, state = asyncio.get_running_loop(), ServerState()
        server = await loop.create_server(
            lambda: config.http_protocol_class(config, state, {}, HandTimedLoop(loop)),
            "127.0.0.1",
            0,
        )
        async with server:
            address = server.sockets[0].getsockname()
            clients = [await asyncio.open_connection(*address) for _ in range(4)]
            (_, _, (third, _), (fourth, _)) = clients
            assert (await third.readline()).startswith(b"HTTP/1.1 503 ")
            with contextlib.suppress(ConnectionResetError):
                assert await fourth.read() == b""
            assert len(state.connections) == 3
            for _, writer in clients:
                writer.close()

    asyncio.run(asyncio.wait_for(main(), 120))
