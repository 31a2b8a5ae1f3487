"""The questions of a configuration, asked in a terminal; secrets are not shown while they are written."""

from collections.abc import Iterable

import typer

from bosa_mcp.invisible import plain
from bosa_mcp.questions import Question, spelled


def answers(asked: Iterable[Question]) -> dict[str, str]:
    """What a person answers, by the names of the questions."""
    return {question.name: _answer(question) for question in asked}


def _answer(question: Question) -> str:
    _explain(question)
    label = plain(question.label)
    if question.kind == "check":
        return "yes" if typer.confirm(label, default=question.default is True, err=True) else ""
    default = "" if question.default is None else plain(spelled(question.default))
    while True:
        text: str = typer.prompt(
            label, default=default, show_default=bool(default), hide_input=question.is_secret, err=True
        )
        if trouble := _trouble(question, text):
            typer.echo(plain(trouble), err=True)
        else:
            return text


def _explain(question: Question) -> None:
    marks = [] if question.is_required or question.kind == "check" else ["optional"]
    marks += [f"one of {', '.join(map(spelled, question.choices))}"] if question.choices else []
    marks += ["JSON"] if question.kind == "json" else []
    text = f"{question.help} ({'; '.join(marks)})" if marks else question.help
    if text.strip():
        typer.secho(plain(text).strip(), dim=True, err=True)


def _trouble(question: Question, text: str) -> str | None:
    if question.is_required and not text:
        return "This is needed."
    if question.choices and text and text not in {spelled(each) for each in question.choices}:
        return f"Expected one of {', '.join(map(spelled, question.choices))}."
    return None
