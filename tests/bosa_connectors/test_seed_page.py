"""The page that programs were written from, snippet by snippet, on the hub; arguments are those of its connectors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from bosa_connectors.connector import BosaConnector
from bosa_connectors.models.file import ConnectorFile
from bosa_hub.oauth2 import OAuth2
from bosa_hub.plugin import Connector, Context, Page, action
from bosa_hub.serve import RunningHub, running
from bosa_hub.transfer import InputFile, OutputFile

CALLBACK = "http://localhost/linked"
PULLS: list[dict[str, object]] = [
    {"number": number, "title": f"Pull {number}", "author": {"login": "ada"}} for number in range(1, 6)
]


class Repo(BaseModel):
    owner: str
    repo: str


class PullRequests(BaseModel):
    owner: str
    author: str | None = None
    page: int | None = 1
    per_page: int | None = 2
    sort: str | None = None
    created_date_start: str | None = None
    created_date_end: str | None = None


class Commits(Repo):
    page: int | None = 1
    per_page: int | None = 10


class Github(Connector):
    """Code of many hands."""

    needs_account = False
    oauth2 = OAuth2(
        authorize_url="https://github.example/authorize",
        token_url="https://github.example/token",
        client_id="the-hub",
        client_secret="not-so-secret",
        scopes=("repo",),
    )

    @action(effect="read")
    async def list_collaborators(self, request: Repo) -> list[dict[str, str]]:
        """Who works on a repository."""
        return [{"login": request.owner}, {"login": "ada"}]

    @action(effect="read")
    async def list_pull_requests(self, request: PullRequests) -> Page[dict[str, object]]:
        """What is proposed."""
        page, size = request.page or 1, request.per_page or 2
        return Page(PULLS[(page - 1) * size : page * size], page=page, per_page=size, total=len(PULLS))

    @action(effect="read")
    async def list_commits(self, request: Commits) -> Page[dict[str, str]]:
        """What was done."""
        return Page([{"sha": f"{request.owner}/{request.repo}"}], page=1, per_page=10, total=1)


class Upload(BaseModel):
    file: InputFile
    name: str | None = None


class FileId(BaseModel):
    file_id: str


class GoogleDrive(Connector):
    """Files elsewhere."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    @action(effect="create")
    async def upload_file(self, request: Upload, context: Context) -> dict[str, str | None]:
        """Keeps a file."""
        self.kept[context.user_id] = request.file.file.read()
        return {"file_id": "123", "name": request.name, "type": request.file.content_type}

    @action(effect="read")
    async def download_file(self, request: FileId, context: Context) -> OutputFile:
        """Gives a file back."""
        content = self.kept[context.user_id]
        return OutputFile(f"{request.file_id}.pdf", iter([content]), "application/pdf", len(content))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("hub"), connectors=[Github(), GoogleDrive()]) as started:
        yield started


@pytest.fixture
def bosa(hub: RunningHub) -> Iterator[BosaConnector]:
    with BosaConnector(api_base_url=hub.url, api_key=hub.client_key) as connector:
        yield connector


@pytest.fixture
def user_token(hub: RunningHub) -> str:
    return hub.user_token("ada")


def test_authentication(bosa: BosaConnector, user_token: str) -> None:
    has_integration = bosa.user_has_integration("github", user_token)
    assert has_integration is False
    auth_url = bosa.initiate_connector_auth("github", user_token, CALLBACK)
    assert auth_url.startswith("https://github.example/authorize?")


def test_user_authentication(bosa: BosaConnector) -> None:
    user_data = bosa.create_bosa_user("username")
    user_secret = user_data.secret
    token = bosa.authenticate_bosa_user("username", user_secret)
    user_info = bosa.get_user_info(token.token)
    assert (user_info.identifier, user_info.integrations) == ("username", [])


def test_basic_example(bosa: BosaConnector, user_token: str) -> None:
    params = {"repo": "my-local-repo", "owner": "rexywjy"}
    data, status = bosa.execute("github", "list_collaborators", token=user_token, max_attempts=1, input_=params)
    assert data == {"data": [{"login": "rexywjy"}, {"login": "ada"}], "meta": None}
    assert status == 200


def test_fluent_interface(bosa: BosaConnector, user_token: str) -> None:
    params = {
        "owner": "gdp-admin",
        "author": "samuellusandi",
        "per_page": 1,
        "sort": "author_date",
        "created_date_start": "2025-02-01",
        "created_date_end": "2025-02-02",
    }
    github = bosa.connect("github")
    response = github.action("list_pull_requests").params(params).max_attempts(3).token(user_token).run()
    seen = [response.get_data()]
    while response.has_next():
        response = response.next_page()
        seen.append(response.get_data())
    assert seen == [[pull] for pull in PULLS]
    while response.has_prev():
        response = response.prev_page()
        seen.append(response.get_data())
    assert seen[5:] == [[pull] for pull in reversed(PULLS[:-1])]

    commits_response = (
        github.action("list_commits")
        .params({"owner": "GDP-ADMIN", "repo": "bosa", "page": 1, "per_page": 10})
        .token(user_token)
        .run()
    )
    assert commits_response.get_data() == [{"sha": "GDP-ADMIN/bosa"}]


def test_run_with_the_input_in_third_place(bosa: BosaConnector, user_token: str) -> None:
    params = {"owner": "gdp-admin", "per_page": 3}
    response = bosa.run("github", "list_pull_requests", params)
    assert response.get_status() == 401  # the page leaves the token out
    response = bosa.run("github", "list_pull_requests", params, token=user_token)
    assert response.get_data() == PULLS[:3]


def test_response_handling(bosa: BosaConnector, user_token: str) -> None:
    response = bosa.run("github", "list_pull_requests", {"owner": "gdp-admin"}, token=user_token)
    assert (response.get_status(), response.is_list(), response.has_next(), response.has_prev()) == (
        200,
        True,
        True,
        False,
    )
    assert response.get_meta()["total"] == len(PULLS)
    pages = response.get_all_items()
    assert [item for page in pages for item in page["data"]] == PULLS
    assert {"data", "meta"} == pages[0].keys()


def test_response_fields(bosa: BosaConnector, user_token: str) -> None:
    params = {"owner": "gdp-admin", "per_page": 1, "response_fields": ["author.login"]}
    data, status = bosa.execute("github", "list_pull_requests", input_=params, token=user_token)
    assert (data["data"], status) == ([{"author": {"login": "ada"}}], 200)


def test_flexible_parameters(bosa: BosaConnector, user_token: str) -> None:
    data, _ = bosa.execute("github", "list_collaborators", token=user_token, repo="my-local-repo", owner="rexywjy")
    assert data["data"][0] == {"login": "rexywjy"}


def test_files(bosa: BosaConnector, user_token: str, tmp_path: Path) -> None:
    content = b"%PDF-1.7\r\n\x00\xff"
    (tmp_path / "document.pdf").write_bytes(content)
    with (tmp_path / "document.pdf").open("rb") as f:
        upload_file = ConnectorFile(file=f.read(), filename="document.pdf", content_type="application/pdf")
    params = {"file": upload_file, "name": "My Document"}
    result, status = bosa.execute("google_drive", "upload_file", input_=params, token=user_token)
    assert result["data"] == {"file_id": "123", "name": "My Document", "type": "application/pdf"}
    assert status == 200

    file_result, status = bosa.execute("google_drive", "download_file", input_={"file_id": "123"}, token=user_token)
    assert isinstance(file_result, ConnectorFile)
    assert (file_result.file, file_result.filename, file_result.content_type) == (content, "123.pdf", "application/pdf")
    with (tmp_path / (file_result.filename or "downloaded_file")).open("wb") as f:
        f.write(file_result.file)
    response = bosa.run("google_drive", "download_file", {"file_id": "123"}, token=user_token)
    assert response.get_data().file == content


def test_integration_management(bosa: BosaConnector, user_token: str) -> None:
    assert not bosa.user_has_integration("github", user_token)
    assert bosa.initiate_connector_auth("github", user_token, CALLBACK).startswith("https://")
    remove_result = bosa.remove_integration("github", user_token, "nobody")
    assert remove_result.success is False
