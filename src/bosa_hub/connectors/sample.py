"""The sample database that a new user finds: ten authors and forty of their books."""

import sqlite3
from contextlib import closing
from pathlib import Path

_TABLES = """
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL, born INTEGER NOT NULL);
CREATE TABLE books (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, author_id INTEGER NOT NULL REFERENCES authors (id),
    year INTEGER NOT NULL, genre TEXT NOT NULL
);
CREATE INDEX books_by_author ON books (author_id);
"""

_AUTHORS: dict[tuple[str, str, int], list[tuple[str, int, str]]] = {
    ("Jane Austen", "England", 1775): [
        ("Sense and Sensibility", 1811, "novel"),
        ("Pride and Prejudice", 1813, "novel"),
        ("Emma", 1815, "novel"),
        ("Persuasion", 1817, "novel"),
    ],
    ("Mary Shelley", "England", 1797): [
        ("Frankenstein", 1818, "science fiction"),
        ("Valperga", 1823, "historical"),
        ("The Last Man", 1826, "science fiction"),
        ("Lodore", 1835, "novel"),
    ],
    ("Jules Verne", "France", 1828): [
        ("Journey to the Centre of the Earth", 1864, "adventure"),
        ("Twenty Thousand Leagues Under the Seas", 1870, "adventure"),
        ("Around the World in Eighty Days", 1872, "adventure"),
        ("The Mysterious Island", 1875, "adventure"),
    ],
    ("Agatha Christie", "England", 1890): [
        ("The Murder of Roger Ackroyd", 1926, "mystery"),
        ("Murder on the Orient Express", 1934, "mystery"),
        ("Death on the Nile", 1937, "mystery"),
        ("And Then There Were None", 1939, "mystery"),
    ],
    ("Astrid Lindgren", "Sweden", 1907): [
        ("Pippi Longstocking", 1945, "children"),
        ("Mio, My Son", 1954, "children"),
        ("The Brothers Lionheart", 1973, "children"),
        ("Ronja, the Robber's Daughter", 1981, "children"),
    ],
    ("Stanisław Lem", "Poland", 1921): [
        ("Solaris", 1961, "science fiction"),
        ("The Invincible", 1964, "science fiction"),
        ("The Cyberiad", 1965, "science fiction"),
        ("His Master's Voice", 1968, "science fiction"),
    ],
    ("Pramoedya Ananta Toer", "Indonesia", 1925): [
        ("This Earth of Mankind", 1980, "historical"),
        ("Child of All Nations", 1980, "historical"),
        ("Footsteps", 1985, "historical"),
        ("House of Glass", 1988, "historical"),
    ],
    ("Ursula K. Le Guin", "United States", 1929): [
        ("A Wizard of Earthsea", 1968, "fantasy"),
        ("The Left Hand of Darkness", 1969, "science fiction"),
        ("The Tombs of Atuan", 1971, "fantasy"),
        ("The Dispossessed", 1974, "science fiction"),
    ],
    ("Chinua Achebe", "Nigeria", 1930): [
        ("Things Fall Apart", 1958, "novel"),
        ("No Longer at Ease", 1960, "novel"),
        ("Arrow of God", 1964, "novel"),
        ("Anthills of the Savannah", 1987, "novel"),
    ],
    ("Haruki Murakami", "Japan", 1949): [
        ("A Wild Sheep Chase", 1982, "novel"),
        ("Norwegian Wood", 1987, "novel"),
        ("The Wind-Up Bird Chronicle", 1994, "novel"),
        ("Kafka on the Shore", 2002, "novel"),
    ],
}


def fill(path: Path) -> None:
    """The tables and their fifty rows, in the empty file at `path`."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_TABLES)
        with connection:
            for author_id, (author, books) in enumerate(_AUTHORS.items(), start=1):
                connection.execute("INSERT INTO authors VALUES (?, ?, ?, ?)", (author_id, *author))
                connection.executemany(
                    "INSERT INTO books (title, author_id, year, genre) VALUES (?, ?, ?, ?)",
                    [(title, author_id, year, genre) for title, year, genre in books],
                )
