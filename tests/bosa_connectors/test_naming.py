"""What files are called: labels as they were meant, and names that no disk and no reader is fooled by."""

import ntpath
import sys
import unicodedata
from pathlib import PurePath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bosa_connectors.naming import base_name, label, media_type, numbered, safe_name


@pytest.mark.parametrize(
    ("said", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("größe 😀.pdf", "größe 😀.pdf"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("C:evil.exe", "C_evil.exe"),
        ("a\r\nb\x00.txt", "a__b_.txt"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        (".bashrc", "bashrc"),
        ("...", "file"),
        ("..", "file"),
        ("folder/", "file"),
        (" . ", "file"),
        ("", "file"),
        (None, "file"),
        ("nul", "_nul"),
        ("CON.txt", "_CON.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("console.txt", "console.txt"),
        ("a. . ", "a"),
        ('what?<is>|"this*".txt', "what__is___this__.txt"),
        ("\ud800.txt", "_.txt"),
        ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
        ("ß" * 500, "ß" * 100),
    ],
)
def test_a_name_becomes_one_that_any_disk_takes(said: str | None, safe: str) -> None:
    assert safe_name(said) == safe


def _is_reserved(name: str) -> bool:
    """Whether Windows keeps the name for itself, as the standard library of this Python says."""
    return ntpath.isreserved(name) if sys.version_info >= (3, 13) else PureWindowsPath(name).is_reserved()


@given(st.text(st.characters() | st.sampled_from('./\\:*?"<>| \r\n\u202e'), max_size=300))
def test_no_name_leads_elsewhere_hides_or_deceives(said: str) -> None:
    name = safe_name(said)
    assert 0 < len(name.encode()) <= 200
    assert PurePath(name).name == PureWindowsPath(name).name == name
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert not _is_reserved(name)
    assert not [each for each in name if unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert safe_name(name) == name


@given(st.text(max_size=400))
def test_a_label_keeps_all_but_what_breaks_a_line(said: str) -> None:
    kept = label(said)
    assert len(kept) <= 255
    assert len(kept.splitlines() or [""]) == 1
    assert kept.encode().decode() == kept
    if said.isprintable() and len(said) <= 255:
        assert kept == said


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", "application/pdf"),
        ("a.TXT", "text/plain"),
        ("größe.json", "application/json"),
        ("a.tar.gz", "application/octet-stream"),
        ("data:text/html,x", "application/octet-stream"),
        (".txt", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_the_end_of_a_name_tells_its_type(name: str, kind: str) -> None:
    assert media_type(name) == kind


def test_numbers_stand_before_the_suffix() -> None:
    assert [numbered("a.b.txt", number) for number in (0, 1, 12)] == ["a.b.txt", "a.b (1).txt", "a.b (12).txt"]
    assert numbered("README", 1) == "README (1)"


@pytest.mark.parametrize("path", ["/a/b.txt", "C:\\a\\b.txt", "b.txt", "a\\b/b.txt"])
def test_the_base_name_is_the_last_part_on_any_system(path: str) -> None:
    assert base_name(path) == "b.txt"
