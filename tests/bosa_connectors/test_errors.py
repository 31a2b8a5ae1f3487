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
        ("InvalidHeader", [ValueError]),
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
    ("status", "kind", "advice"),
    [
        (400, "ApiError", "The API refuses the call as it is: correct it before you repeat it."),
        (401, "Unauthenticated", "Check the client key and the user token."),
        (403, "Forbidden", "Use an account that may do this, or have the permission given."),
        (404, "NotFound", "Check the names and identifiers in the call."),
        (405, "ApiError", "The API refuses the call as it is: correct it before you repeat it."),
        (409, "Conflict", "Look at what is there before you repeat it."),
        (422, "ApiError", "The API refuses the call as it is: correct it before you repeat it."),
        (429, "RateLimited", "Wait, then repeat it."),
        (500, "ApiError", "The API failed: whoever runs it finds this in its log."),
        (503, "ApiError", "The API failed: whoever runs it finds this in its log."),
    ],
)
def test_a_status_has_the_error_that_says_what_to_do(status: int, kind: str, advice: str) -> None:
    error = api_error(Failure(status=status, message="It went wrong"))
    assert (type(error).__name__, error.status, str(error)) == (kind, status, f"{status}: It went wrong. {advice}")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure(status=429, message="Slow down!", retry_after=3), "429: Slow down! Wait 3 s, then repeat it."),
        (
            Failure(status=500, message="It broke.", request_id="r-1"),
            "500: It broke. The API failed: whoever runs it finds this in its log as request r-1.",
        ),
        (
            Failure(status=404, message="Integration does not exist: sql."),
            "404: Integration does not exist: sql. Link an account first: initiate_connector_auth says where.",
        ),
        (Failure(status=409, message="It exists. Take another name."), "409: It exists. Take another name."),
    ],
)
def test_an_error_says_what_to_do_unless_the_api_says_more_than_a_sentence(failure: Failure, said: str) -> None:
    assert str(api_error(failure)) == said


def test_what_the_api_said_is_reached_from_the_error_itself() -> None:
    failure = Failure(
        status=429, message="Slow.", code="SLOW", request_id="r", retryable=True, retry_after=3, details={"limit": 5}
    )
    error = api_error(failure)
    said = (error.message, error.code, error.request_id, error.retryable, error.retry_after, error.details)
    assert said == ("Slow.", "SLOW", "r", True, 3, {"limit": 5})


def test_secrets_are_hidden_in_what_an_error_shows() -> None:
    failure = Failure(status=401, message="Token hush-hush-1 is bad.", code="hush-hush-1", request_id="a hush-hush-1")
    error = api_error(failure).without(["hush-hush-1", ""])
    assert (type(error), error.message) == (Unauthenticated, "Token [hidden] is bad.")
    assert "hush" not in f"{error!s} {error!r} {error.failure!r}"


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


@pytest.mark.parametrize("code", ["INTEGRATION_EXPIRED", "INTEGRATION_OUTDATED", "INTEGRATION_UNREADABLE"])
@pytest.mark.parametrize("status", [401, 404, 409])
def test_an_account_that_is_of_no_use_any_more_is_none(code: str, status: int) -> None:
    error = api_error(Failure(status=status, message="Link it anew.", code=code))
    assert isinstance(error, NotConnected)
    assert (error.is_stale, error.status) == (True, status)
    absent = api_error(Failure(status=404, message="Integration does not exist: sql"))
    assert isinstance(absent, NotConnected)
    assert not absent.is_stale


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
    [
        ("titel", ["body", "title"], "title"),
        ("titel", [], None),
        ("zzz", ["body", "title"], None),
        ("", ["a"], None),
        ("ID", ["uri", "id"], "id"),
        ("USERID", ["userName", "user_id"], "user_id"),
        ("per-page", ["page", "perPage"], "perPage"),
    ],
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
