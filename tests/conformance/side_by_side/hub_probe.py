"""The probe of the published server (upstream/probe.py), written again as a connector of the hub."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from bosa_hub.oauth2 import OAuth2
from bosa_hub.plugin import Connector, Context, Page, Result, action
from bosa_hub.transfer import InputFile, OutputFile

ITEMS = [{"id": i, "name": f"item {i}", "owner": {"login": f"user{i % 7}"}, "body": "x" * 200} for i in range(1, 251)]
DATES = ["2024-01-01", "2024-01-02T00:00:00Z", "2024-01-02T12:00:00", "2024-01-03T00:00:00Z", None]
ODD_DATES = ["2024-01-02T00:30:00+01:00", "2024-01-03T00:00:00.500Z", "soon"]
SHAPES: dict[str, object] = {
    "object": {
        "aB": 1,
        "none": None,
        "user": {"login": "u", "id": 1},
        "tags": ["x", "y"],
        "labels": [{"n": "a", "c": "r"}, {"n": "b"}],
    },
    "list": ITEMS[:4],
    "dates": [{"at": at} for at in DATES],
    "odd dates": [{"at": at} for at in ODD_DATES],
    "null": None,
    "text": "hello",
    "number": 5,
    "empty": [],
}


class Get(BaseModel):
    """Returns one reply of the named shape."""

    shape: str = Field(description="object, list, dates, odd dates, null, text, number, empty, boom")


class Pages(BaseModel):
    """Lists 250 items page by page."""

    page: int | None = Field(1, ge=1)
    per_page: int | None = Field(30, ge=1, le=100)


class Cursors(BaseModel):
    """Lists 250 items by cursor."""

    cursor: str | None = None
    per_page: int | None = Field(30, ge=1, le=100)


class Tokens(BaseModel):
    """Lists 250 items by page token, as the google connectors do."""

    page_token: str | None = None
    page_size: int | None = Field(30, ge=1, le=100)


class Upload(BaseModel):
    """Takes files."""

    name: str
    tags: list[str] | None = None
    file: InputFile | None = None
    files: list[InputFile] | None = None


class Download(BaseModel):
    """Returns a file of so many bytes."""

    size: int = Field(ge=0)
    filename: str


class Probe(Connector):
    """Replies of every shape."""

    @action(effect="read")
    async def get(self, request: Get) -> object:
        """Returns one reply."""
        if request.shape == "boom":
            raise ValueError("boom")
        return SHAPES[request.shape]

    @action(effect="read")
    async def list_pages(self, request: Pages) -> Page[object]:
        """Lists items by page number."""
        page, size = request.page or 1, request.per_page or 30
        return Page(ITEMS[(page - 1) * size : page * size], page=page, per_page=size, total=len(ITEMS))

    @action(effect="read")
    async def list_cursors(self, request: Cursors) -> Result[object]:
        """Lists items by cursor."""
        at, size = int(request.cursor or 0), request.per_page or 30
        more = at + size < len(ITEMS)
        meta = {
            "total": len(ITEMS),
            "total_page": -(-len(ITEMS) // size),
            "has_next": more,
            "has_prev": at > 0,
            "backwards_cursor": str(max(at - size, 0)) if at else None,
            "forwards_cursor": str(at + size) if more else None,
        }
        return Result(ITEMS[at : at + size], meta)

    @action(effect="read")
    async def list_tokens(self, request: Tokens) -> Result[object]:
        """Lists items by page token."""
        at, size = int(request.page_token or 0), request.page_size or 30
        more = at + size < len(ITEMS)
        return Result(ITEMS[at : at + size], {"has_next": more, "forwards_cursor": str(at + size) if more else None})

    @action(effect="create")
    async def upload(self, request: Upload) -> object:
        """Takes files and says what arrived."""
        files = ([request.file] if request.file else []) + (request.files or [])
        arrived = [
            {"filename": file.filename, "content_type": file.content_type, "size": len(file.file.read())}
            for file in files
        ]
        return {"name": request.name, "tags": request.tags, "files": arrived}

    @action(effect="read")
    async def download(self, request: Download) -> OutputFile:
        """Returns a file."""
        return OutputFile(request.filename, _content(request.size), "application/octet-stream", request.size)

    @action(effect="read")
    async def whoami(self, context: Context) -> object:
        """Says who acts."""
        return {"user_id": context.user_id}


def _content(size: int) -> Iterator[bytes]:
    for index in range(-(-size // 65536)):
        yield bytes([index % 256]) * min(65536, size - index * 65536)


class FileId(BaseModel):
    """Which file."""

    file_id: str


class GoogleDrive(Connector):
    """A connector of which every action needs an account, under the name of a published one."""

    oauth2 = OAuth2(
        authorize_url="https://accounts.google.com/o/oauth2/auth",
        token_url="https://oauth2.googleapis.com/token",
        client_id="placeholder",
        client_secret="placeholder",
        scopes=("openid", "https://www.googleapis.com/auth/drive"),
    )

    @action(effect="read")
    async def list_permissions(self, request: FileId, context: Context) -> object:
        """Lists who may do what with a file."""
        return [context.account.identifier, request.file_id]
