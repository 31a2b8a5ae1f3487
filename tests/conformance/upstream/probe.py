"""A thirteenth connector on the published server's own handler: replies of every shape, pages, cursors, files, errors.

The provider connectors need credentials and a network; this one shows what their plumbing does with any reply.
"""

# ruff: noqa: ANN202, ARG001  the published router reads these signatures: a return type would become a response schema, and
#                             it passes the headers whether they are wanted or not

from bosa_core.plugin.plugin import Plugin
from bosa_server_plugins.github.http.cursor_meta import GithubApiCursorMeta
from bosa_server_plugins.handler import BaseRequestModel, ExposedDefaultHeaders, HttpHandler, InputFile, Router
from pydantic import Field
from starlette.responses import StreamingResponse

ITEMS = [{"id": i, "name": f"item {i}", "owner": {"login": f"user{i % 7}"}, "body": "x" * 200} for i in range(1, 251)]
ONE = {
    "aB": 1,
    "none": None,
    "user": {"login": "u", "id": 1},
    "tags": ["x", "y"],
    "labels": [{"n": "a", "c": "r"}, {"n": "b"}],
}
DATES = ["2024-01-01", "2024-01-02T00:00:00Z", "2024-01-02T12:00:00", "2024-01-03T00:00:00Z", None]
ODD_DATES = ["2024-01-02T00:30:00+01:00", "2024-01-03T00:00:00.500Z", "soon"]


class Get(BaseRequestModel):
    """Returns one reply of the named shape."""

    shape: str = Field(description="object, list, dates, odd dates, null, text, number, empty, boom")


class Pages(BaseRequestModel):
    """Lists 250 items page by page."""

    page: int | None = Field(1, ge=1)
    per_page: int | None = Field(30, ge=1, le=100)


class Cursors(BaseRequestModel):
    """Lists 250 items by cursor."""

    cursor: str | None = None
    per_page: int | None = Field(30, ge=1, le=100)


class Tokens(BaseRequestModel):
    """Lists 250 items by page token, as the google connectors do."""

    page_token: str | None = None
    page_size: int | None = Field(30, ge=1, le=100)


class Upload(BaseRequestModel):
    """Takes files."""

    name: str
    tags: list[str] | None = None
    file: InputFile | None = None
    files: list[InputFile] | None = None


class Download(BaseRequestModel):
    """Returns a file of so many bytes."""

    size: int = Field(ge=0)
    filename: str


@Plugin.for_handler(HttpHandler)
class ProbePlugin(Plugin):
    name = "probe"
    description = "Replies of every shape."
    version = "1.0.0"
    router: Router

    def __init__(self) -> None:
        super().__init__()
        post = self.router.post

        @post("/get")
        async def get(request: Get, http_headers: ExposedDefaultHeaders):
            """Returns one reply."""
            if request.shape == "boom":
                raise ValueError("boom")
            shapes = {
                "object": ONE,
                "list": ITEMS[:4],
                "dates": [{"at": at} for at in DATES],
                "odd dates": [{"at": at} for at in ODD_DATES],
                "null": None,
                "text": "hello",
                "number": 5,
                "empty": [],
            }
            return shapes[request.shape]

        @post("/list_pages")
        async def list_pages(request: Pages, http_headers: ExposedDefaultHeaders):
            """Lists items by page number."""
            page, size = request.page or 1, request.per_page or 30
            last = -(-len(ITEMS) // size)
            meta = {
                "page": page,
                "limit": size,
                "total": len(ITEMS),
                "total_page": last,
                "has_next": page < last,
                "has_prev": page > 1,
            }
            return ITEMS[(page - 1) * size : page * size], meta

        @post("/list_cursors")
        async def list_cursors(request: Cursors, http_headers: ExposedDefaultHeaders):
            """Lists items by cursor."""
            at, size = int(request.cursor or 0), request.per_page or 30
            more = at + size < len(ITEMS)
            return ITEMS[at : at + size], GithubApiCursorMeta(
                total=len(ITEMS),
                total_page=-(-len(ITEMS) // size),
                has_next=more,
                has_prev=at > 0,
                backwards_cursor=str(max(at - size, 0)) if at else None,
                forwards_cursor=str(at + size) if more else None,
            )

        @post("/list_tokens")
        async def list_tokens(request: Tokens, http_headers: ExposedDefaultHeaders):
            """Lists items by page token."""
            at, size = int(request.page_token or 0), request.page_size or 30
            more = at + size < len(ITEMS)
            return ITEMS[at : at + size], {"has_next": more, "forwards_cursor": str(at + size) if more else None}

        @post("/upload")
        async def upload(request: Upload, http_headers: ExposedDefaultHeaders):
            """Takes files and says what arrived."""
            files = ([request.file] if request.file else []) + (request.files or [])
            arrived = [
                {"filename": f.filename, "content_type": f.content_type, "size": len(f.file.read())} for f in files
            ]
            return {"name": request.name, "tags": request.tags, "files": arrived, "sent_as": http_headers.content_type}

        @post("/download")
        async def download(request: Download, http_headers: ExposedDefaultHeaders):
            """Returns a file."""
            headers = {
                "Content-Disposition": f'attachment; filename="{request.filename}"',
                "Content-Length": str(request.size),
            }
            chunks = (bytes([i % 256]) * min(65536, request.size - i * 65536) for i in range(-(-request.size // 65536)))
            return StreamingResponse(chunks, media_type="application/octet-stream", headers=headers)

        @post("/whoami")
        async def whoami(http_headers: ExposedDefaultHeaders):
            """Says which headers arrived."""
            return http_headers
