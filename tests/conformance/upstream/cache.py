"""A cache that speaks the Redis protocol on a port: fakeredis, with a connection handler that waits.

The handler that fakeredis brings reads in a busy loop, which takes a whole core, and answers in RESP3 whatever the
client speaks: the published server, which speaks RESP2, then fails with a 500 wherever a key is not in the cache.
"""

import threading
from socketserver import StreamRequestHandler

from fakeredis import FakeConnection, TcpFakeServer
from fakeredis._tcp_server import Resp2Writer
from redis import ResponseError


def reply(connection: FakeConnection) -> object:
    """The next reply; an error is one too."""
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


class WaitingHandler(StreamRequestHandler):
    """Hands each line to a connection of its own, and its replies back."""

    def handle(self) -> None:
        """Serves one client until it hangs up."""
        writer = Resp2Writer(self.client_address, self.wfile, self)
        connection = FakeConnection(server=self.server.fake_server, writer=writer)
        try:
            while line := self.rfile.readline():
                connection.get_socket().sendall(line)
                while connection.can_read():
                    writer.dump(reply(connection))
        except ConnectionError:
            pass  # the client has left without saying goodbye
        finally:
            connection.disconnect()


def serve(port: int) -> None:
    """Serves in the background until the process ends."""
    server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
    server.RequestHandlerClass = WaitingHandler
    threading.Thread(target=server.serve_forever, daemon=True).start()
