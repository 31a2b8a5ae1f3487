"""What the clients of every generation do alike. Run by a published client's own Python."""

# its packages are in the environment of the client, not in this one
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from steps import Anything, step

TEXT = "Zeile\r\n--\r\n\0ü".encode() * 10_000
BYTES = bytes(range(256)) * 1000 + TEXT
CALLBACK = "http://localhost/linked?with=a&query"
SHAPES = ("object", "list", "null", "text", "number", "empty")


class User(NamedTuple):
    """A user of the hub."""

    id: str
    identifier: str
    secret: str
    token: str


def discover(client: Anything) -> list[str]:
    """Every connector, and every parameter of every action."""
    connectors = step("connectors", lambda: sorted(client.get_available_modules()))
    for name in connectors:
        step(f"parameters of {name}", lambda name=name: parameters(client.get_connector(name)))
    return connectors


def parameters(module: Anything) -> dict[str, dict[str, bool]]:
    """Action to parameters, and whether each is required."""
    return {
        action: {parameter["name"]: parameter["required"] for parameter in module.get_action_parameters(action)}
        for action, _path, _docstring in module.get_actions()
    }


def generate(generator: Callable[..., Anything], url: str, key: str, connectors: Iterable[str]) -> None:
    """The LangChain tools of every connector."""
    for name in connectors:
        step(f"tools of {name}", lambda name=name: [tool.name for tool in generator(url, key, name).generate_tools()])


def arrive(client: Anything, identifier: str) -> User:
    """A new user, logged in."""
    user = step("a new user", lambda: client.create_bosa_user(identifier))
    token = step("a token", lambda: client.authenticate_bosa_user(identifier, user.secret))
    step("who am I", lambda: client.get_user_info(token.token))
    step("a user twice", lambda: client.create_bosa_user(identifier))
    step("a wrong secret", lambda: client.authenticate_bosa_user(identifier, user.secret[:-3] + "zzz"))
    step("an unknown user", lambda: client.authenticate_bosa_user(identifier + "z", user.secret))
    step("who am I, with a token that is none", lambda: client.get_user_info("nonsense"))
    return User(str(user.id), identifier, user.secret, token.token)


def call(client: Anything, token: str) -> None:
    """Calls of every kind."""
    for shape in SHAPES:
        step(
            f"execute {shape}", lambda shape=shape: client.execute("probe", "get", input_={"shape": shape}, token=token)
        )
    step("run", lambda: said(client.run("probe", "get", input_={"shape": "object"}, token=token)))
    step("keywords", lambda: client.execute("probe", "get", token=token, shape="number"))
    chosen = {"shape": "object", "response_fields": ["user.login", "tags"]}
    step(
        "chain",
        lambda: client.connect("probe").action("get").params(chosen).token(token).max_attempts(2).timeout(20).execute(),
    )
    step("an action without input", lambda: client.execute("sql", "list_tables", token=token))


def share(client: Anything, one: User, other: User) -> None:
    """One client, which two users use at the same time from many threads."""

    def keep(number: int) -> None:
        user = (one, other)[number % 2]
        note = {"title": user.identifier, "body": str(number)}
        client.execute("notes", "create_note", input_=note, token=user.token)

    def kept(user: User) -> list[tuple[str, int]]:
        notes, _status = client.execute("notes", "list_notes", input_={"per_page": 100}, token=user.token)
        return sorted((note["title"], int(note["body"])) for note in notes["data"])

    with ThreadPoolExecutor(8) as threads:
        step("notes of two users at once", lambda: len(list(threads.map(keep, range(40)))))
    step("notes of the one", lambda: kept(one))
    step("notes of the other", lambda: kept(other))


def another(client: Anything, user: User) -> User:
    """One more user."""
    identifier = f"{user.identifier} other"
    made = client.create_bosa_user(identifier)
    return User(str(made.id), identifier, made.secret, client.authenticate_bosa_user(identifier, made.secret).token)


def walk(client: Anything, token: str, action: str) -> None:
    """Three pages, forth, back, and all at once."""
    first = step_page(f"{action}: first", lambda: client.run("probe", action, input_={"per_page": 100}, token=token))
    second = step_page(f"{action}: next", first.next_page)
    third = step_page(f"{action}: last", second.next_page)
    step_page(f"{action}: back", third.prev_page)
    step_page(f"{action}: back again", second.prev_page)
    step(f"{action}: all", lambda: [[item["id"] for item in page["data"]] for page in first.get_all_items()])


def step_page(name: str, act: Callable[[], Anything]) -> Anything:
    """A page, of which its first and last item are told, and where it stands."""
    page = None

    def look() -> dict[str, Anything]:
        nonlocal page
        page = act()
        ends = [page.get_data()[index]["id"] for index in (0, -1)]
        return {"ends": ends, "next": page.has_next(), "previous": page.has_prev(), "list": page.is_list()}

    step(name, look)
    return page


def said(answer: Anything) -> dict[str, Anything]:
    """What an answer says of itself."""
    return {
        "data": answer.get_data(),
        "meta": answer.get_meta(),
        "status": answer.get_status(),
        "list": answer.is_list(),
    }


def carry(client: Anything, token: str, file: Callable[..., Anything], content: bytes = BYTES) -> None:
    """Files there and back; `file` makes a ConnectorFile."""
    one = file(file=content, filename="ärger & more.bin", content_type="application/x-thing")
    two = file(file=b"", filename="empty.txt", content_type="text/plain")

    def execute(connector: str, action: str, **arguments: Anything) -> Anything:
        return client.execute(connector, action, input_=arguments, token=token)

    step("upload", lambda: execute("files", "upload_file", file=one, path="there/a.bin"))
    step("upload bytes", lambda: execute("files", "upload_file", file=file(file=b"\xff", filename="ff"), path="ff"))
    step("upload again", lambda: execute("files", "upload_file", file=one, path="there/a.bin"))
    step("upload without a path", lambda: execute("files", "upload_file", file=two))
    step("download", lambda: execute("files", "download_file", path="there/a.bin"))
    step(
        "download by run",
        lambda: client.run("files", "download_file", input_={"path": "empty.txt"}, token=token).get_data(),
    )
    step("download nothing", lambda: execute("files", "download_file", path="nowhere"))
    step("upload several", lambda: execute("probe", "upload", name="n", tags=["a", "b"], files=[one, two], file=two))
    step("a form without a file", lambda: execute("probe", "upload", name="n", tags=["a", "b"]))
    step("a note", lambda: execute("notes", "create_note", title="Töne", body="…"))
    step("export", lambda: execute("notes", "export_notes"))


def place_databases(users: Path, user: User) -> None:
    """Two databases in the user's own folder, as a person would put them there."""
    folder = users / user.id / "sql"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("shop", "mill"):
        database = sqlite3.connect(folder / f"{name}.db")
        database.execute("CREATE TABLE place (name TEXT)")
        database.execute("INSERT INTO place VALUES (?)", (name,))
        database.commit()
        database.close()


def configuration(name: str) -> dict[str, str]:
    """What links one of them."""
    return {"name": name, "file": f"{name}.db"}


def query(client: Anything, token: str, **account: str) -> Anything:
    """The place that is in the acting account's database."""
    statement = {"query": "SELECT name FROM place"}
    return client.execute("sql", "query", input_=statement, token=token, **account)


def fail(client: Anything, token: str) -> None:
    """An error of each kind."""

    def execute(action: str, connector: str = "probe", token: str | None = token, **arguments: Anything) -> Anything:
        return client.execute(connector, action, input_=arguments, token=token)

    step("an unknown connector", lambda: execute("get", connector="nothing"))
    step("an unknown action", lambda: execute("nothing"))
    step("a missing argument", lambda: execute("get"))
    step("a wrong argument", lambda: execute("list_pages", page="two"))
    step("an argument out of bounds", lambda: execute("list_pages", page=0))
    step("no attempts", lambda: client.execute("probe", "get", input_={"shape": "text"}, token=token, max_attempts=0))
    step("400", lambda: execute("query", connector="sql", query="nonsense"))
    step("401 without a token", lambda: execute("get", token=None, shape="text"))
    step("401 with a token that is none", lambda: execute("get", token="nonsense", shape="text"))
    step("404", lambda: execute("get_note", connector="notes", id="nowhere"))
    step("409", lambda: execute("refuse", connector="refusals"))
    step("500", lambda: execute("get", shape="boom"))
    step("a failure by run", lambda: said(client.run("probe", "list_pages", input_={"page": 0}, token=token)))
    step("no account", lambda: execute("list_events", connector="calendar"))
    step("an address to agree at", lambda: client.initiate_connector_auth("calendar", token, CALLBACK))
    step("no such way to link", lambda: client.initiate_connector_auth("sql", token, CALLBACK))
