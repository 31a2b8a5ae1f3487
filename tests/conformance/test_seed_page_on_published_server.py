"""The page that programs were written from, on the published server, as far as it needs no provider."""

import secrets
from collections.abc import Iterator

import pytest

from bosa_connectors.connector import BosaConnector
from bosa_connectors.models.file import ConnectorFile

from .published import PLANETS, PublishedServer

QUERY = {"query": "SELECT name, moons FROM planets ORDER BY name"}


@pytest.fixture(scope="module")
def bosa(published_server: PublishedServer) -> Iterator[BosaConnector]:
    with BosaConnector(api_base_url=published_server.url, api_key=published_server.client_key) as connector:
        yield connector


def test_a_user_arrives_and_has_no_integration(bosa: BosaConnector) -> None:
    identifier = f"user-{secrets.token_hex(4)}"
    user_data = bosa.create_bosa_user(identifier)
    token = bosa.authenticate_bosa_user(identifier, user_data.secret)
    assert bosa.get_user_info(token.token).identifier == identifier
    assert bosa.user_has_integration("github", token.token) is False


def test_direct_execution(bosa: BosaConnector, published_user: str) -> None:
    data, status = bosa.execute("sql", "query", token=published_user, max_attempts=1, input_=QUERY)
    assert (data["data"], status) == (PLANETS, 200)
    assert bosa.execute("sql", "query", token=published_user, query=QUERY["query"])[1] == 200


def test_the_fluent_interface_forth_and_back(bosa: BosaConnector, published_user: str) -> None:
    probe = bosa.connect("probe")
    response = probe.action("list_pages").params({"per_page": 100}).max_attempts(3).token(published_user).run()
    firsts = [response.get_data()[0]["id"]]
    while response.has_next():
        response = response.next_page()
        firsts.append(response.get_data()[0]["id"])
    while response.has_prev():
        response = response.prev_page()
        firsts.append(response.get_data()[0]["id"])
    assert firsts == [1, 101, 201, 101, 1]
    again = probe.action("list_pages").params({"page": 3, "per_page": 100}).token(published_user).run()
    assert again.get_data()[0]["id"] == 201


def test_all_pages_and_chosen_fields(bosa: BosaConnector, published_user: str) -> None:
    params = {"per_page": 100, "response_fields": ["owner.login"]}
    response = bosa.run("probe", "list_pages", params, token=published_user)
    items = [item for page in response.get_all_items() for item in page["data"]]
    assert len(items) == 250
    assert items[0] == {"owner": {"login": "user1"}}


def test_files_there_and_back(bosa: BosaConnector, published_user: str) -> None:
    file = ConnectorFile(file=b"%PDF\r\n\x00", filename="document.pdf", content_type="application/pdf")
    result, status = bosa.execute("probe", "upload", input_={"file": file, "name": "n"}, token=published_user)
    assert status == 200
    assert result["data"]["files"] == [{"filename": "document.pdf", "content_type": "application/pdf", "size": 7}]
    params = {"size": 70_000, "filename": "a.bin"}
    file_result, status = bosa.execute("probe", "download", input_=params, token=published_user)
    assert isinstance(file_result, ConnectorFile)
    assert (len(file_result.file), file_result.filename, status) == (70_000, "a.bin", 200)


def test_failures_are_replies(bosa: BosaConnector, published_user: str) -> None:
    response = bosa.run("probe", "get", {"shape": "boom"}, token=published_user)
    assert (response.get_status(), response.ok) == (500, False)
    assert bosa.execute("sql", "query", input_=QUERY)[1] == 401
    with pytest.raises(ValueError, match=r"^Invalid action 'x'\. Available actions: "):
        bosa.execute("sql", "x", token=published_user)
    with pytest.raises(ValueError, match=r"^Invalid parameters: \{'query': 'Field required'\}$"):
        bosa.execute("sql", "query", token=published_user)


def test_every_connector_can_be_held_as_a_module(bosa: BosaConnector) -> None:
    for app in bosa.get_available_modules():
        module = bosa.get_connector(app)
        for name, path, docstring in module.get_actions():
            parameters = module.get_action_parameters(name)
            assert path.startswith("/")
            assert isinstance(docstring, str)
            assert all(parameter.keys() == {"name", "type", "required"} for parameter in parameters)
