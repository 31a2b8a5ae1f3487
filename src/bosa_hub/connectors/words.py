"""What people look for, as FTS5 reads it."""


def match_all(query: str) -> str:
    """An FTS5 query for every word of `query`, each quoted, so that no text is syntax."""
    words = query.replace("\0", " ").replace('"', " ").split()
    return " ".join(f'"{word}"*' for word in words) or '""'
