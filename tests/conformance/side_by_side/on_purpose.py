"""What our hub answers otherwise than the published server, on purpose. What no longer differs must leave the list."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """At each of these paths the answers to each of these exchanges differ; a path stands for all below it too."""

    reason: str
    paths: tuple[str, ...]
    exchanges: tuple[str, ...]


STATUS = ("status",)
FIELDS = ("body.fields",)

BODIES = (
    Difference(
        "An unknown field is an error: it is a mistake of the caller's, who would never hear of it.",
        STATUS,
        (
            "an unknown argument",
            "an action without input, with an argument",
            "a filter with an unknown part",
            "a cursor where a token is meant",
            "a form with an unknown field",
            "a file of which fields are chosen",
        ),
    ),
    Difference(
        "No body is an empty object, of which each missing field is named.",
        FIELDS,
        ("no body",),
    ),
    Difference(
        "What is wrong with a body as a whole is said of the body, in one kind of complaint for each mistake.",
        FIELDS,
        (
            "a body that is no JSON",
            "half a body",
            "a list",
            "a text",
            "null",
            "a form where JSON is meant",
            "a form to an action without files",
            "JSON where a form is meant",
            "half a form",
            "a form with a text where a file is meant",
        ),
    ),
    Difference(
        "A body that cannot be read is a 422 like every other body that does not fit.",
        STATUS,
        ("a body in Latin-1", "a form without its boundary"),
    ),
    Difference(
        "JSON has neither a byte order mark nor NaN, of which the published server makes a 500.",
        STATUS,
        ("a byte order mark", "not a number"),
    ),
    Difference(
        "JSON is read whatever it is called: programs forget to say what they send.",
        STATUS,
        ("JSON that is called text", "JSON that is called nothing"),
    ),
    Difference(
        "Two files for one field are an error; one of them would be lost.",
        STATUS,
        ("a form with two files where one is meant",),
    ),
    Difference(
        "An empty text is a text.",
        STATUS,
        ("a form with an empty text",),
    ),
    Difference(
        "A file always has a media type.",
        ("body.data.files.0.content_type",),
        ("a form with a file of no kind",),
    ),
)

ANSWERS = (
    Difference(
        "Actions of the hub never see the headers of a request, in which the credentials are.",
        ("body.data",),
        ("an action without input, with no body", "an action without input, with an empty object"),
    ),
    Difference(
        "Likewise: how a form was sent is in a header.",
        ("body.data.sent_as",),
        (
            "a form with a file",
            "a form with files and lists",
            "a form with one file in a list",
            "a form with an empty file",
            "a form with a file of no kind",
            "a form with a file whose name is no ASCII",
            "a form with a file whose name is a path",
            "a form with one tag",
            "a form with JSON in a field",
            "a form without a file",
            "a form without a file or a tag",
        ),
    ),
    Difference(
        "A filter that meets a value of another type is a mistake in the request, not a failure of the server.",
        STATUS,
        ("a number filter on a text", "a text filter on a number", "a text filter on an object"),
    ),
    Difference(
        "Dates are compared as moments. The published server reads days, and seconds without a zone or with Z; any"
        " other date passes every lower bound and no upper one, and any other bound lets everything pass.",
        ("body.data",),
        (
            "a date filter on a text that is no date",
            "dates up to a moment of another zone",
            "dates from a fraction of a second",
            "odd dates from a moment",
            "odd dates up to a moment",
        ),
    ),
    Difference(
        "A bound that is no date is an error, not a bound that lets everything pass.",
        STATUS,
        ("dates from no date",),
    ),
    Difference(
        "A filename leaves its quotes in no way, and is ASCII with the real one beside it (RFC 6266).",
        ("headers.content-disposition",),
        ("a file whose name is no ASCII", "a file whose name has quotes"),
    ),
)

WHO_MAY_CALL = (
    Difference(
        "A key that is none is no credential: 401, as without any. A key of nobody is not found: 404. The published"
        " server has it the other way round for connectors, and 404 for both elsewhere.",
        STATUS,
        (
            "a key that is no key",
            "half a key",
            "a key of an unknown client",
            "a key with a wrong secret",
            "a user of nobody",
        ),
    ),
    Difference(
        "The user's token alone says which client's it is, as clients of the current generation need.",
        STATUS,
        ("an empty key", "a token without a key"),
    ),
    Difference(
        "A bad token is a 401, not a failure of the server.",
        STATUS,
        ("a token that is no token", "a token with a wrong signature"),
    ),
    Difference(
        "The name of a scheme has no case (RFC 9110).",
        STATUS,
        ("a token whose scheme is in lower case",),
    ),
    Difference(
        "Every action acts for a user.",
        STATUS,
        ("an action without a user",),
    ),
    Difference(
        "Nothing redirects: clients would send their keys along.",
        STATUS,
        ("an action with a slash behind it",),
    ),
)

WHO_AM_I = (
    "who am I",
    "who am I of the older family",
    "who am I with accounts",
    "who am I after selecting",
    "who am I after removing",
)
USERS_AND_ACCOUNTS = (
    Difference(
        "`meta` always stands beside `data`. These paths are rebuilt in upstream/, where it does not.",
        ("body.meta", "body.data.keys"),
        (
            "a new user",
            "a new user of the older family",
            "a token",
            "a token of the older family",
            *WHO_AM_I,
        ),
    ),
    Difference(
        "`message`, which clients of the current generation show.",
        ("body.message",),
        ("a new user", "a new user of the older family"),
    ),
    Difference(
        "`auth_status`, which clients of the current generation know.",
        ("body.data.integrations.0.auth_status",),
        ("who am I with accounts", "who am I after selecting", "who am I after removing"),
    ),
    Difference(
        "Likewise, of a second account and of one that is looked at.",
        ("body.data.integrations.1.auth_status",),
        ("who am I with accounts", "who am I after selecting"),
    ),
    Difference(
        "Likewise; and the credential is that of a file, not of a server.",
        ("body.data.auth_status", "body.data.auth_string"),
        ("look at an account",),
    ),
    Difference(
        "Each sql is configured in its own way; and the published server turns the keys of the schema into snake_case"
        " with all others (`any_of`), after which it is no JSON Schema.",
        ("body.data.supported_auth_types.0.config",),
        ("how an sql account is linked",),
    ),
    Difference(
        "A user's sql holds a sample from the beginning.",
        STATUS,
        ("a query without an account",),
    ),
    Difference(
        "Our sql says in `meta` whether there were more rows.",
        ("body.meta",),
        ("a query", "a query by an account"),
    ),
    Difference(
        "The fields are named that are wrong for the way to link that was asked for, not those of every way.",
        FIELDS,
        (
            "a way to link that there is none",
            "a configuration that is missing",
            "nothing to link",
            "where to agree, without a way back",
        ),
    ),
    Difference(
        "A configuration that does not fit is a mistake in the request, not a failure of the server.",
        STATUS,
        ("a configuration that is empty", "a configuration that is wrong", "OAuth 2 where there is none"),
    ),
    Difference(
        "`replace_duplicate` and `X-Integration` are of the current generation, the published server is not.",
        STATUS,
        ("the same account in place of itself", "a query by no account in the later header"),
    ),
    Difference(
        "Both families' paths are there.",
        STATUS,
        ("remove as the older family does",),
    ),
    Difference(
        "What Google wants to know beside OAuth 2's own, and the scopes, are the published connector's business.",
        (
            "body.data.url.query.access_type",
            "body.data.url.query.include_granted_scopes",
            "body.data.url.query.prompt",
            "body.data.url.query.scope",
        ),
        ("where to agree",),
    ),
    Difference(
        "A way back that is no address is a mistake in the request.",
        STATUS,
        ("where to agree, to come back nowhere",),
    ),
)

DIFFERENCES = (*BODIES, *ANSWERS, *WHO_MAY_CALL, *USERS_AND_ACCOUNTS)

ACTIONS = ("get", "list_pages", "list_cursors", "list_tokens", "upload", "download", "whoami")
WITH_INPUT = ACTIONS[:-1]
LISTING = (
    Difference("Says what the action does to the world.", ("x-bosa-effect",), ACTIONS),
    Difference("Headers are never input.", ("parameters.http_headers",), ACTIONS),
    Difference(
        "Unknown fields are an error, and the schema says so.",
        ("parameters.request.schema.additionalProperties", "request_body.additionalProperties"),
        WITH_INPUT,
    ),
    Difference(
        "A file has no fields to choose from, and no items.",
        (
            "parameters.request.schema.properties.response_fields",
            "parameters.request.schema.properties.response_filters",
            "request_body.properties.response_fields",
            "request_body.properties.response_filters",
        ),
        ("download",),
    ),
    Difference("The type of the data is known, and told.", ("response",), ("list_pages",)),
    Difference(
        "Whatever answers data takes `response_fields`; and it says who acts, not which headers came.",
        ("parameters.request", "request_body", "docstring"),
        ("whoami",),
    ),
)
