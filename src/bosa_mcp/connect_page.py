"""The pages on which a person links an account: HTML without a script. All that comes from elsewhere is escaped."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from bosa_mcp.invisible import plain
from bosa_mcp.questions import Question, spelled

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #cfd6de; --paper: #fff; --back: #f3f5f8;
  --bad: #b3261e; --good: #17693a; --act: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #a3acb8; --line: #3a434e; --paper: #1c2127;
  --back: #12161a; --bad: #ff8a80; --good: #7bd8a2; --act: #7fb0ff; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2.5rem 1rem; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 34rem; margin: 0 auto; padding: 1.75rem 2rem 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 12px; }
h1 { margin: 0 0 .5rem; font-size: 1.35rem; line-height: 1.3; }
p { margin: .5rem 0; }
.soft { color: var(--soft); font-size: .9rem; }
.bad { color: var(--bad); }
.good { color: var(--good); }
.field { margin: 1.25rem 0; }
label, .name { display: block; font-weight: 600; }
.check label { display: inline; }
input:not([type=checkbox]), select, textarea { width: 100%; margin-top: .3rem; padding: .5rem .65rem; font: inherit;
  color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 6px; }
option { color: #1b1f24; background: #fff; }
textarea { min-height: 7rem; font-family: ui-monospace, monospace; }
[aria-invalid=true] { border-color: var(--bad); }
textarea.secret { -webkit-text-security: disc; }
button { margin-top: .75rem; padding: .6rem 1.25rem; font: inherit; font-weight: 600; color: #fff; background: #1f5fbf;
  border: 0; border-radius: 6px; cursor: pointer; }
a { color: var(--act); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
"""
_HASH: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser would not say where a form comes from
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
REPLACE: Final = "replace"
"""The name of the box that has an account linked anew."""
_LENGTH: Final = 300
_CHOICE_LENGTH: Final = 1_000


def field_name(number: int) -> str:
    """How the form calls the answer to a question: never by a name from elsewhere."""
    return f"answer{number}"


def notice(title: str, *paragraphs: str, tone: str = "") -> str:
    """A page that says something."""
    said = "".join(f"<p>{_safe(text, 4 * _LENGTH)}</p>" for text in paragraphs if text)
    return _page(title, f"{said}<p class=soft>You can close this page.</p>", tone)


def form(  # noqa: PLR0913  what is on the page
    connector: str,
    who: str,
    api: str,
    asked: Sequence[Question],
    *,
    given: Mapping[str, str],
    by_question: Mapping[str, str],
    others: Iterable[str] = (),
    instead: str | None = None,
    may_replace: bool = False,
) -> str:
    """The page with the questions, with the answers that were given so far, and what is wrong with them.

    `instead` is where the person could agree at the service itself.
    """
    wrong = "".join(f'<p class="bad" role=alert>{_safe(text, 2 * _LENGTH)}</p>' for text in others)
    if by_question:
        wrong += '<p class="bad" role=alert>Please correct what is marked.</p>'
    fields = "".join(
        _field(field_name(number), question, given.get(question.name), by_question.get(question.name))
        for number, question in enumerate(asked)
    )
    again = _REPLACE_BOX if may_replace else ""
    other = f'<p class=soft>Or <a href="{escape(instead)}">sign in at the service instead</a>.</p>' if instead else ""
    return _page(
        f"Connect {_cut(connector)}",
        f"<p class=soft>The account will belong to the user <strong>{_safe(who)}</strong>. What you enter is sent to"
        f" <strong>{_safe(api)}</strong>, and to nobody else: no model sees it.</p>{wrong}"
        f"<form method=post autocomplete=off>{fields}{again}<button>Connect</button></form>{other}",
    )


def _field(name: str, question: Question, given: str | None, wrong: str | None) -> str:
    hints = [f"{name}-help"] if question.help else []
    hints += [f"{name}-wrong"] if wrong else []
    common = f'id="{name}" name="{name}"'
    common += f' aria-describedby="{" ".join(hints)}"' if hints else ""
    common += ' aria-invalid="true"' if wrong else ""
    help_ = f'<div class=soft id="{name}-help">{_safe(question.help, 3 * _LENGTH)}</div>' if question.help else ""
    error = f'<div class=bad id="{name}-wrong">{_safe(wrong, 2 * _LENGTH)}</div>' if wrong else ""
    mark = "" if question.is_required or question.kind == "check" else " <span class=soft>(optional)</span>"
    label = f'<label for="{name}">{_safe(question.label)}{mark}</label>'
    control = _control(common, question, given)
    if question.kind == "check":
        return f'<div class="field check">{control} {label}{help_}{error}</div>'
    return f"<div class=field>{label}{help_}{control}{error}</div>"


def _control(common: str, question: Question, given: str | None) -> str:
    """What a person answers with. A secret is never written into the page."""
    default = "" if question.default is None else spelled(question.default)
    value = "" if question.is_secret else default if given is None else given
    needed = " required" if question.is_required else ""
    match question.kind:
        case "check":
            is_on = bool(given) if given is not None else question.default is True
            return f'<input type=checkbox value="yes" {common}{" checked" if is_on else ""}>'
        case "choice":
            empty = [] if question.is_required and value else [""]
            options = [*empty, *(spelled(choice) for choice in question.choices)]
            return f"<select {common}{needed}>{''.join(_option(each, value) for each in options)}</select>"
        case "json":
            kind = " class=secret" if question.is_secret else ""
            return f"<textarea {common}{needed}{kind} spellcheck=false>\n{escape(value)}</textarea>"
        case _:
            if question.is_secret:
                return f'<input type=password {common}{needed} autocomplete="new-password" spellcheck=false>'
            mode = ' inputmode="decimal"' if question.kind == "number" else ""
            return f'<input type=text {common}{needed}{mode} spellcheck=false value="{escape(value)}">'


def _option(value: str, chosen: str) -> str:
    mark = " selected" if value == chosen else ""
    shown = _safe(value, _CHOICE_LENGTH) or "(none)"
    return f'<option value="{escape(value)}"{mark}>{shown}</option>'


_REPLACE_BOX: Final = (
    f'<div class="field check"><input type=checkbox id="{REPLACE}" name="{REPLACE}" value="yes">'
    f' <label for="{REPLACE}">Replace the account of this name</label></div>'
)


def _page(title: str, body: str, tone: str = "") -> str:
    kind = f' class="{tone}"' if tone else ""
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1{kind}>{_safe(title)}</h1>{body}</main></body></html>"
    )


def _cut(text: str, most: int = _LENGTH) -> str:
    shown = plain(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _safe(text: str, most: int = _LENGTH) -> str:
    """Foreign text for a page."""
    return escape(_cut(text, most))
