"""What came of a wish about a linked account."""

from pydantic import BaseModel


class ActionResult(BaseModel):
    """Whether it was done; `message` says why not."""

    success: bool
    message: str
