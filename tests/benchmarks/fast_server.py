"""The peer, run by a Python that has fastmcp: `python fast_server.py API OPENAPI.json [PORT]`, else over stdio."""

# runs in an environment of its own, whose packages are not installed here
# pyright: basic, reportMissingImports=false, reportImplicitRelativeImport=false

import json
import sys
from pathlib import Path

import httpx2
from fastmcp import FastMCP
from loopback_api import KEY


def main(api: str, file: str, port: str | None = None) -> None:
    client = httpx2.AsyncClient(base_url=api, headers={"X-API-Key": KEY})
    server = FastMCP.from_openapi(json.loads(Path(file).read_text()), client)
    if port:
        server.run("http", host="127.0.0.1", port=int(port), show_banner=False, log_level="warning")
    else:
        server.run("stdio", show_banner=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
