"""The SDK alone: discover a connector's actions, and send calls.

    python examples/sdk.py

It runs on a hub of its own in a temporary folder. For your own API, give its address to AsyncBosaConnector, and the
client key and user token to Credentials.
"""

import asyncio
import tempfile
from pathlib import Path

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_connectors.errors import InvalidArguments
from bosa_hub.serve import running


async def main(url: str, credentials: Credentials) -> None:
    """Writes a note, asks for one that is not there, and leaves an argument out."""
    async with AsyncBosaConnector(url) as connector:
        print(await connector.get_available_modules())
        notes = await connector.catalogue("notes")
        print(notes, list(notes))

        reply = await connector.send(
            Call(notes["create_note"], {"title": "Hello", "body": "from the SDK"}, credentials)
        )
        print(reply.status, reply.data)

        missing = await connector.send(Call(notes["get_note"], {"id": "no-such-note"}, credentials))
        print(repr(missing.error))

        try:
            await connector.send(Call(notes["create_note"], {"titel": "a typo"}, credentials))
        except InvalidArguments as refused:
            for problem in refused.errors:
                print(problem)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as hub:
        asyncio.run(main(hub.url, Credentials(hub.client_key, hub.user_token("me"))))
