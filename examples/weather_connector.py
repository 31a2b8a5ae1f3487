"""A connector that calls an HTTP API, on a hub of its own.

    python examples/weather_connector.py

The API is a tiny one that this program starts on loopback. To have the connector on your own hub, name it, with this
folder on Python's path:

    PYTHONPATH=examples WEATHER_API=http://127.0.0.1:9000 BOSA_HUB_CONNECTORS=weather_connector:Weather bosa-mcp hub
"""

import asyncio
import json
import os
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import httpx
from pydantic import BaseModel, Field

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_hub import Connector, NotFound, UpstreamFailed, action
from bosa_hub.serve import running


class ForecastRequest(BaseModel):
    """Which city."""

    city: str = Field(description="The name of a city.", max_length=100)


class Forecast(BaseModel):
    """Tomorrow."""

    city: str
    sky: str = Field(description="What the sky will be like.")
    celsius: float


class Weather(Connector):
    """Forecasts from an HTTP API."""

    def __init__(self) -> None:
        self.http = httpx.AsyncClient(base_url=os.environ.get("WEATHER_API", "http://127.0.0.1:9000"), timeout=10)

    @action(effect="read")
    async def forecast(self, request: ForecastRequest) -> Forecast:
        """The forecast for a city."""
        try:
            reply = await self.http.get("/forecast", params={"city": request.city})
        except httpx.HTTPError as error:
            raise UpstreamFailed("The weather service does not answer. Try again later.") from error
        if reply.status_code == HTTPStatus.NOT_FOUND:
            raise NotFound(f"Nobody knows the weather of {request.city!r}. Try Bandung or Jakarta.")
        if not reply.is_success:
            raise UpstreamFailed(f"The weather service answered {reply.status_code}. Try again later.")
        return Forecast.model_validate(reply.json())


class Service(BaseHTTPRequestHandler):
    """The HTTP API."""

    known = {"Bandung": ("clouds", 23.5), "Jakarta": ("sun", 32.0)}  # noqa: RUF012  never changed

    def do_GET(self) -> None:
        """A forecast, or 404."""
        city = unquote(self.path.partition("?city=")[2])
        sky, celsius = self.known.get(city, (None, None))
        self.send_response(200 if sky else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"city": city, "sky": sky, "celsius": celsius}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  named so by its base
        """Nothing."""


@contextmanager
def serving() -> Generator[str]:
    """The HTTP API, running; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


async def main(url: str, credentials: Credentials) -> None:
    """Asks for two forecasts, one of which there is."""
    async with AsyncBosaConnector(url) as connector:
        weather = await connector.catalogue("weather")
        for city in ("Bandung", "Atlantis"):
            reply = await connector.send(Call(weather["forecast"], {"city": city}, credentials))
            print(reply.status, reply.error or reply.data)


if __name__ == "__main__":
    with serving() as api, tempfile.TemporaryDirectory() as folder:
        os.environ["WEATHER_API"] = api
        with running(Path(folder), connectors=[Weather()]) as hub:
            asyncio.run(main(hub.url, Credentials(hub.client_key, hub.user_token("me"))))
