"""Files, as they are sent and as they come back."""

from pydantic import BaseModel, Field

from bosa_connectors.calls import FileHead, Reply


class ConnectorFile(BaseModel):
    """A file with its bytes held in memory."""

    file: bytes = Field(repr=False)
    filename: str | None = None
    content_type: str | None = None
    headers: dict[str, str] | None = Field(default=None, repr=False)


def held(reply: Reply, content: bytes) -> Reply:
    """The reply that is this file, with its bytes in memory."""
    head = reply.file
    file = ConnectorFile(
        file=content,
        filename=head and head.name,
        content_type=head and head.content_type,
        headers=dict(reply.headers),
    )
    return Reply(
        reply.status, reply.headers, file, file, file=head and FileHead(head.name, head.content_type, head.size)
    )
