"""The errors: their tree, their words, their facts."""

import copy
import pickle

import pytest

from bosa_connectors import errors
from bosa_connectors.errors import (
    ApiError,
    BosaConnectorError,
    BosaError,
    ConnectorNotFound,
    Failure,
    InvalidAction,
    InvalidArguments,
    NotConnected,
    NotFound,
    Problem,
    Unauthenticated,
    api_error,
    nearest,
)


def every_kind(of: type[BosaError] = BosaError) -> set[type[BosaError]]:
    """This kind of error and all below it that the package defines."""
    below = [kind for kind in of.__subclasses__() if kind.__module__ == errors.__name__]
    return {of}.union(*(every_kind(kind) for kind in below))


@pytest.mark.parametrize(
    ("kind", "bases"),
    [
        ("ConnectorNotFound", [BosaConnectorError]),
        ("InvalidAction", [ValueError]),
        ("InvalidArguments", [ValueError]),
        ("RequestTimeout", [TimeoutError]),
        ("TooLarge", [errors.BadReply]),
        ("NotConnected", [NotFound, ApiError]),
        ("RateLimited", [ApiError]),
    ],
)
def test_an_error_is_caught_by_what_programs_catch(kind: str, bases: list[type[Exception]]) -> None:
    assert issubclass(getattr(errors, kind), (BosaError, *bases))
    assert all(issubclass(getattr(errors, kind), base) for base in bases)


def test_the_tree_at_the_top_of_the_module_shows_every_error() -> None:
    drawn = {line.split()[1] for line in (errors.__doc__ or "").splitlines() if line.strip().startswith(tuple("*x-·"))}
    assert drawn == {kind.__name__ for kind in every_kind()}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "ApiError"),
        (401, "Unauthenticated"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (405, "ApiError"),
        (409, "Conflict"),
        (422, "ApiError"),
        (429, "RateLimited"),
        (500, "ApiError"),
        (503, "ApiError"),
    ],
)
def test_a_status_has_the_error_that_says_what_to_do(status: int, kind: str) -> None:
    error = api_error(Failure(status=status, message="It went wrong."))
    assert (type(error).__name__, error.status, str(error)) == (kind, status, f"{status}: It went wrong.")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Integration does not exist: sql", NotConnected),
        ("Invalid API key", Unauthenticated),
        ("Note 7 does not exist", NotFound),
    ],
)
def test_a_404_is_told_apart_by_its_words(message: str, kind: type[ApiError]) -> None:
    assert type(api_error(Failure(status=404, message=message))) is kind
    assert type(api_error(Failure(status=500, message=message))) is ApiError


def test_an_unknown_connector_is_said_in_the_words_that_programs_match() -> None:
    assert str(ConnectorNotFound("x")) == "No connector found for app 'x'"
    error = ConnectorNotFound("note", ["sql", "notes"])
    assert (str(error), error.connector, error.nearest) == (
        "No connector found for app 'note'. Did you mean 'notes'?",
        "note",
        "notes",
    )


def test_an_unknown_action_is_said_in_the_words_that_programs_match() -> None:
    error = InvalidAction("x", iter(["a", "b"]))
    assert (str(error), error.action, error.available) == (
        "Invalid action 'x'. Available actions: a, b",
        "x",
        ("a", "b"),
    )


def test_invalid_arguments_are_said_in_the_words_that_programs_match() -> None:
    problem = Problem("x", "Field required", "string")
    error = InvalidArguments(iter([problem]))
    assert (str(error), error.errors) == ("Invalid parameters: {'x': 'Field required'}", (problem,))


def test_the_details_of_a_failure_stay_out_of_its_repr() -> None:
    assert "private" not in repr(Failure(status=400, message="no", details={"row": "private"}))


@pytest.mark.parametrize(
    ("name", "known", "similar"),
    [("titel", ["body", "title"], "title"), ("titel", [], None), ("zzz", ["body", "title"], None), ("", ["a"], None)],
)
def test_the_nearest_name_is_one_that_looks_like_it(name: str, known: list[str], similar: str | None) -> None:
    assert nearest(name, known) == similar


@pytest.mark.parametrize(
    "error",
    [
        ConnectorNotFound("note", ["notes"]),
        InvalidAction("x", ["a"]),
        InvalidArguments([Problem("x", "Field required", "string")]),
        api_error(Failure(status=404, message="It is gone.")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_can_be_handed_to_another_process(error: BosaError) -> None:
    there = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert (type(there), str(there), vars(there)) == (type(error), str(error), vars(error))
    assert str(copy.copy(error)) == str(error)
