"""The model that programs know: bytes in memory, as ever, or a path."""

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from bosa_connectors.models.file import ConnectorFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF")
    return path


def test_a_file_has_bytes_and_may_have_a_name_a_type_and_headers() -> None:
    file = ConnectorFile(file=b"x")
    assert file.model_dump() == {"file": b"x", "filename": None, "content_type": None, "headers": None}
    assert ConnectorFile(file=b"x", filename="a", content_type="b", headers={"c": "d"}).headers == {"c": "d"}
    with pytest.raises(ValidationError):
        ConnectorFile()  # type: ignore[call-arg]  that is the mistake


def test_a_file_on_disk_has_the_name_and_type_of_its_path(path: Path) -> None:
    for file in (ConnectorFile.from_path(path), ConnectorFile.from_path(str(path))):
        assert (file.filename, file.content_type, file.path, file.file) == ("a.pdf", "application/pdf", path, b"%PDF")
    named = ConnectorFile.from_path(path, "b.txt")
    assert (named.filename, named.content_type) == ("b.txt", "text/plain")
    assert ConnectorFile.from_path(path, content_type="x/y").content_type == "x/y"


def test_a_file_on_disk_is_read_when_asked_for(path: Path) -> None:
    file = ConnectorFile.from_path(path)
    path.write_bytes(b"changed")
    assert file.file == b"changed"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        _ = file.file


def test_a_copy_of_a_file_on_disk_is_one_too(path: Path) -> None:
    file = ConnectorFile.from_path(path)
    for copy in (file.model_copy(), file.model_copy(deep=True), pickle.loads(pickle.dumps(file))):  # noqa: S301  our own
        assert (copy, copy.file) == (file, b"%PDF")


def test_bytes_that_take_the_place_of_a_file_on_disk_are_what_it_holds(path: Path, tmp_path: Path) -> None:
    changed = ConnectorFile.from_path(path)
    changed.file = b"new"
    for number, file in enumerate((changed, ConnectorFile.from_path(path).model_copy(update={"file": b"new"}))):
        assert (file.file, file.path, file.filename) == (b"new", None, "a.pdf")
        assert file.save(tmp_path / str(number)).read_bytes() == b"new"


def test_what_a_file_does_not_have_is_an_attribute_error(path: Path) -> None:
    for file in (ConnectorFile(file=b""), ConnectorFile.from_path(path)):
        with pytest.raises(AttributeError, match="nothing"):
            _ = file.nothing  # type: ignore[attr-defined]  that is the mistake
    with pytest.raises(AttributeError, match="file"):
        _ = ConnectorFile.model_construct(filename="a").file


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_a_file_is_saved_in_a_folder_under_a_safe_name_or_at_a_path(
    path: Path, tmp_path: Path, *, is_on_disk: bool
) -> None:
    name = "../up.pdf"
    file = ConnectorFile.from_path(path, name) if is_on_disk else ConnectorFile(file=b"%PDF", filename=name)
    folder = tmp_path / "folder"
    folder.mkdir()
    saved = [file.save(folder), file.save(str(folder)), file.save(folder / "mine")]
    assert saved == [folder / "up.pdf", folder / "up (1).pdf", folder / "mine"]
    assert {each.read_bytes() for each in saved} == {b"%PDF"}
    with pytest.raises(FileExistsError):
        file.save(folder / "mine")
    assert len(list(folder.iterdir())) == 3


def test_neither_content_nor_headers_are_in_its_repr() -> None:
    assert "hush" not in repr(ConnectorFile(file=b"hush", headers={"set-cookie": "hush"}))
