"""Files with the SDK: up from disk and down to disk, in pieces, however large they are.

python examples/sdk_files.py
"""

import hashlib
import tempfile
from pathlib import Path

from bosa_connectors import BosaConnector, Call, Credentials
from bosa_connectors.download import Download
from bosa_connectors.errors import TooLarge
from bosa_connectors.models.file import ConnectorFile
from bosa_hub.serve import running

SIZE = 5_000_000


def digest(path: Path) -> str:
    """What tells a file from another one."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def main(bosa: BosaConnector, credentials: Credentials, folder: Path) -> None:
    """Sends a file, fetches it again, and refuses it where it is larger than wanted."""
    files = bosa.catalogue("files")
    sent = folder / "report.bin"
    sent.write_bytes(b"\x00\x01\xfe\xff" * (SIZE // 4))

    upload = Call(files["upload_file"], {"file": ConnectorFile.from_path(sent), "path": "reports/1.bin"}, credentials)
    print("sent", bosa.send(upload).data)

    download = Call(files["download_file"], {"path": "reports/1.bin"}, credentials)
    with bosa.stream(download) as reply:
        if not isinstance(reply.file, Download):
            raise SystemExit(f"No file came: {reply.error}")
        saved = reply.file.save(folder)
    print("saved as", saved.name, "and it is the same:", digest(saved) == digest(sent))

    small = Call(files["download_file"], {"path": "reports/1.bin"}, credentials, max_file_bytes=1000)
    try:
        bosa.send(small)
    except TooLarge as refused:
        print("refused:", refused)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as data, running(Path(data) / "hub") as hub, BosaConnector(hub.url) as connector:
        main(connector, Credentials(hub.client_key, hub.user_token("me")), Path(data))
