"""Folders of the server's own, which nobody else may look into."""

from pathlib import Path


def make_folder(folder: Path) -> Path:
    """`folder`, made with its parents where it is missing, readable by nobody else."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
    return folder
