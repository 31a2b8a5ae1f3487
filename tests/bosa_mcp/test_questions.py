"""A schema becomes questions, and answers a configuration that fits it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bosa_connectors.errors import InvalidArguments
from bosa_mcp import connect_page, questions
from bosa_mcp.questions import Question, spelled

from .scripted_api import Json, takes

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["type", "properties", "anyOf", "$ref", "enum", "const", "items", "required", "title", "default", "format", "$defs"]
)
ODD_SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(WORDS, JSON, max_size=5) | st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(st.text(max_size=8), st.dictionaries(WORDS, JSON, max_size=3) | JSON, max_size=4),
    }
)


def asked(**properties: object) -> list[Question]:
    return questions.questions({"type": "object", "properties": properties, "required": ["a"]})


@given(ODD_SCHEMAS, st.text(max_size=30))
def test_any_schema_has_questions_a_form_and_a_verdict_on_any_answer(schema: dict[str, Any], text: str) -> None:
    found = questions.questions(schema)
    assert found or schema["properties"]
    given_ = {question.name: text for question in found}
    connect_page.form("shop", "me", "api", found, given=given_, by_question={each.name: text for each in found})
    config = questions.configuration(found, given_)
    try:
        questions.check(schema, config, found)
    except InvalidArguments as wrong:
        by_question, others = questions.by_question(wrong.errors, found)
        assert by_question or others


@pytest.mark.parametrize(
    ("said", "text", "value"),
    [
        ({"type": "string"}, " x ", " x "),
        ({"type": "integer"}, " 7 ", 7),
        ({"type": "number"}, "7.5", 7.5),
        ({"type": "number"}, "nan", "nan"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "7", 7),
        ({"enum": ["eu", 1, None]}, "1", 1),
        ({"type": "boolean"}, "yes", True),
        ({"type": "boolean"}, "", False),
        ({"type": "array"}, '["x"]', ["x"]),
        ({"type": "object"}, "no JSON", "no JSON"),
    ],
)
def test_an_answer_becomes_what_its_question_asks_for(said: object, text: str, value: object) -> None:
    assert questions.configuration(asked(a=said), {"a": text}) == {"a": value}


def test_an_empty_answer_is_none() -> None:
    found = asked(a={"type": "string"}, b={"type": "integer"})
    assert questions.configuration(found, {"a": "", "b": ""}) == {}


@pytest.mark.parametrize(
    ("name", "said", "is_secret"),
    [
        ("api_key", {"type": "string"}, True),
        ("apiKey", {"type": "string"}, True),
        ("PASSWORD", {"type": "string"}, True),
        ("auth_token", {"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
        ("pin", {"type": "string", "format": "password"}, True),
        ("code", {"type": "string", "writeOnly": True}, True),
        ("secret_number", {"type": "integer"}, True),
        ("login", {"type": "object", "properties": {"password": {"type": "string"}}}, True),
        ("logins", {"type": "array", "items": {"properties": {"token": {"type": "string"}}}}, True),
        ("name", {"type": "string"}, False),
        ("region", {"type": "string", "enum": ["eu"]}, False),
        ("host", {"type": "object", "properties": {"name": {"type": "string"}}}, False),
    ],
)
def test_what_may_be_a_secret_is_not_shown(name: str, said: object, is_secret: bool) -> None:  # noqa: FBT001
    [question] = asked(**{name: said})
    page = connect_page.form("shop", "me", "api", [question], given={name: "typed-before"}, by_question={})
    assert question.is_secret is is_secret
    assert ("typed-before" in page) is (not is_secret and question.kind != "choice")


@pytest.mark.parametrize("last", ["name", "token"])
def test_what_may_be_a_secret_is_found_behind_references_that_multiply_and_lead_back(last: str) -> None:
    def both(level: int) -> Json:
        return takes(left={"$ref": f"#/$defs/D{level}"}, right={"$ref": f"#/$defs/D{level}"})

    levels = {f"D{level}": both((level + 1) % 40) for level in range(39)}
    levels["D39"] = takes(**{last: {"type": "string"}, "again": {"$ref": "#/$defs/D0"}})
    [question] = questions.questions({**takes(host={"$ref": "#/$defs/D0"}), "$defs": levels})
    assert question.is_secret is (last == "token")


def test_what_is_wrong_with_a_secret_is_said_without_it() -> None:
    schema = {"type": "object", "properties": {"token": {"type": "string", "pattern": "^sk-"}}}
    found = questions.questions(schema)
    with pytest.raises(InvalidArguments) as caught:
        questions.check(schema, {"token": "planted-6a1f"}, found)
    assert "planted" not in repr(caught.value) + str(caught.value)


def test_a_problem_stands_beside_the_question_that_it_is_about() -> None:
    found = asked(a={"type": "string"}, b={"type": "object"})
    details = [
        {"loc": ["body", "configuration", "a"], "msg": "no file"},
        {"loc": ["body", "configuration", "b", "c"], "msg": "no port"},
        {"loc": ["body"], "msg": "no good"},
    ]
    by_question, others = questions.by_question(questions.refused(details), found)
    assert by_question == {"a": "no file", "b": "c: no port"}
    assert others == ["no good"]


def test_a_choice_is_spelled_as_people_write_it() -> None:
    assert [spelled(value) for value in ("eu", 1, True, [1])] == ["eu", "1", "true", "[1]"]
