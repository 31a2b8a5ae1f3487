"""The settings: flag, then variable, then key in `bosa-mcp.toml`."""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import unquote

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bosa_connectors import header, wire
from bosa_connectors.errors import nearest
from bosa_mcp import addresses
from bosa_mcp.access import SECRET_LENGTH
from bosa_mcp.imports import quick

PREFIX: Final = "BOSA_"
FILE: Final = "bosa-mcp.toml"
DEFAULT_API: Final = "https://api.bosa.id"


class InvalidSettings(ValueError):
    """A setting makes no sense; the message is one line that says what to change."""


def _usual_folder() -> Path:
    try:
        return user_data_path("bosa-mcp")
    except RuntimeError:
        raise InvalidSettings("There is no home folder to keep anything in: set BOSA_DATA_DIR") from None


class HubApplication(BaseModel):
    """What a service gave when an application was registered there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)


class Settings(BaseSettings):
    """What can be set. Each field is a variable with the prefix `BOSA_`, and a key in `bosa-mcp.toml`."""

    in_file: ClassVar[Mapping[str, Any]] = {}
    """What stands in that file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="ignore", frozen=True
    )

    api_base_url: str | None = None
    """The API; unset and no key: the embedded hub."""
    api_key: SecretStr | None = None
    user_token: SecretStr | None = None
    account: str | None = None
    """Which linked account acts; None for the selected one."""
    connectors: Annotated[tuple[str, ...], NoDecode] = ()
    """Only these connectors; empty for all."""
    include: Annotated[tuple[str, ...], NoDecode] = ()
    """Only tools whose names match one of these globs; empty for all."""
    exclude: Annotated[tuple[str, ...], NoDecode] = ()
    """No tools whose names match one of these globs, even where `include` names them."""
    read_only: bool = False
    """Only actions that read."""
    mode: Literal["tools"] = "tools"
    """How actions are offered: each as a tool."""
    refresh: float = Field(300, ge=0)
    """Seconds between looks at the API's catalogue; 0 for none but the first."""
    call_budget: float = Field(45, gt=0)
    """Seconds for the waits and first bytes of one tool call."""
    max_result_tokens: int = Field(20_000, ge=500)
    """The size of one result, estimated at four bytes a token."""
    store: str | None = None
    """Where files and large results are kept; None for a folder in the data folder."""
    files_root: Path | None = None
    """The folder below which `file://` inputs may lie, where client and server share a disk."""
    auth: Literal["none", "user-token"] = "none"
    """How clients over HTTP say who they are."""
    public_url: str | None = None
    """Where the outside reaches the server over HTTP; None for where it listens."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Values of Host that mean this server, beside where it listens."""
    data_dir: Path = Field(default_factory=_usual_folder)
    log: Literal["pretty", "json"] = "pretty"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    hub_master_key: SecretStr | None = None
    """The hub's key that may create clients; None for a generated one."""
    hub_encryption_key: SecretStr | None = None
    """The hub's key that encrypts linked credentials; None for a generated one."""
    hub_connectors: Annotated[tuple[str, ...], NoDecode] = ()
    """Connectors that the hub offers beside its own, as `module:Class`."""
    hub_rate_limit: int | None = Field(None, gt=0)
    """Requests a minute that the hub takes from one client; None for any number."""
    hub_oauth: dict[str, HubApplication] = Field(default_factory=dict[str, HubApplication])
    """As which application the hub asks the service of each connector with OAuth2."""

    @field_validator("connectors", "include", "exclude", "hub_connectors", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        if not isinstance(value, (list, tuple)):
            raise ValueError("Expected names, separated by commas")  # noqa: TRY004  what pydantic takes for wrong input
        return value  # pyright: ignore[reportUnknownVariableType]  it is looked at next

    @field_validator("api_base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return value and _reachable(wire.base_url(value))

    @field_validator("api_key", "user_token")
    @classmethod
    def _sendable(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value().strip() if value else ""
        if not (text.isascii() and text.isprintable()) or " " in text or "${" in text:
            raise ValueError("It holds what no key or token does, such as a space, an ellipsis or ${: copy it whole")
        return SecretStr(text) if text else None

    @field_validator("account")
    @classmethod
    def _nameable(cls, value: str | None) -> str | None:
        text = (value or "").strip()
        if not header.is_value(text):
            raise ValueError("Expected the name of a linked account, in printable ASCII")
        return text or None

    @field_validator("data_dir")
    @classmethod
    def _own_folder(cls, value: Path) -> Path:
        folder = _expanded(value)
        if any(os.path.exists(each) and not os.path.isdir(each) for each in (folder, *folder.parents)):  # noqa: PTH110, PTH112  as below
            raise ValueError("Expected a folder, or where to make one, and not a file")
        return folder

    @field_validator("files_root")
    @classmethod
    def _folder(cls, value: Path | None) -> Path | None:
        folder = value and _expanded(value)
        if folder and not os.path.isdir(folder):  # noqa: PTH112  other than a Path it minds no forbidden folder
            raise ValueError("Expected a folder that is there")
        return folder

    @field_validator("store")
    @classmethod
    def _place(cls, value: str | None) -> str | None:
        scheme, _, rest = (value or "").partition("://")
        if value and (scheme == value or (scheme == "file" and not os.path.isabs(rest))):  # noqa: PTH117  no path otherwise
            raise ValueError("Expected an address such as file:///folder, memory:// or s3://bucket/folder")
        return value

    @field_validator("public_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value and not addresses.is_url(value):
            raise ValueError("Expected an address such as https://mcp.example.com")
        return value and value.rstrip("/")

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if odd := [place for place in value if not addresses.is_place(place)]:
            raise ValueError(f"{odd[0][:80]!r} is no host: expected names such as mcp.example.com or 10.0.0.5:8080")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _unset(cls, given: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in given.items() if value != ""}

    @property
    def result_bytes(self) -> int:
        """The size of one result in bytes."""
        return 4 * self.max_result_tokens

    @property
    def api(self) -> str | None:
        """The address of the API; None for the embedded hub."""
        return None if self.is_embedded else self.api_base_url or DEFAULT_API

    @property
    def is_embedded(self) -> bool:
        """Whether the server brings its own hub instead of speaking to an API."""
        return self.api_base_url is None and self.api_key is None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, variables, the file: nothing else, and never a file of the current folder."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, InitSettingsSource(settings_cls, dict(cls.in_file))


_SECRETS: Final = {"api_key", "user_token", "hub_master_key", "hub_encryption_key"}
_HOLDS_SECRETS: Final = {*_SECRETS, "hub_oauth"}


def _reachable(address: str) -> str:
    """The address, where calls can be sent there. Raises ValueError."""
    with quick():
        import httpx  # noqa: PLC0415  it takes a while to import

    try:
        host = httpx.URL(address).host
    except (httpx.InvalidURL, ValueError):
        host = ""
    if not host or "\\" in host or " " in unquote(host):
        raise ValueError("The address names a host that there cannot be: expected something like https://api.bosa.id")
    return address


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("It begins with the home folder of somebody who has none here") from None


def reveal(secret: SecretStr | None) -> str | None:
    """The value of a secret, where there is one."""
    return secret.get_secret_value() if secret else None


def secrets(settings: Settings) -> list[str]:
    """The values that must not be shown."""
    own = [reveal(getattr(settings, name)) or "" for name in sorted(_SECRETS)]
    values = [*own, *(each.client_secret.get_secret_value() for each in settings.hub_oauth.values())]
    return [value for value in values if len(value) >= SECRET_LENGTH]


def load(flags: Mapping[str, object], config: Path | None = None) -> Settings:
    """The settings in force; flags that are None were not given. Raises InvalidSettings."""
    given: dict[str, Any] = {name: value for name, value in flags.items() if value is not None}
    file, kept = config, {}
    try:
        file = _config(config) if config else Settings(**given).data_dir / FILE
        kept = _read(file, must_exist=config is not None)

        class _Loaded(Settings):
            in_file = kept

        settings = _Loaded(**given)
    except ValidationError as odd:
        raise InvalidSettings(_explain(odd, given, file, kept)) from None
    except SettingsError:
        expected = "an object with client_id and client_secret for each connector"
        raise InvalidSettings(f"BOSA_HUB_OAUTH is not JSON: expected {expected}") from None
    return settings


def strangers(environment: Iterable[str]) -> Iterator[str]:
    """A line for each variable that looks like a setting and is none."""
    for name in sorted(environment):
        key = name.upper().removeprefix(PREFIX).lower()
        if name.upper().startswith(PREFIX) and key.partition("__")[0] not in Settings.model_fields:
            similar = nearest(key, Settings.model_fields)
            hint = f": did you mean {PREFIX}{similar.upper()}?" if similar else ""
            yield f"{name[:80]} is no setting, and counts for nothing{hint}"


def check_api(settings: Settings) -> None:
    """Raises InvalidSettings where it is not clear which API is meant."""
    if settings.is_embedded and settings.user_token:
        raise InvalidSettings("BOSA_USER_TOKEN is set without an API: set BOSA_API_BASE_URL or BOSA_API_KEY as well")


def check_bind(settings: Settings, host: str) -> None:
    """Raises InvalidSettings where others could reach a server that asks nobody who they are, or under no name."""
    if settings.auth == "user-token":
        _check_for_many(settings, host)
    elif not addresses.is_loopback(host):
        raise InvalidSettings(
            f"--host {host[:80]}: others could call the server as you, for BOSA_AUTH is none. Use 127.0.0.1, or"
            " --auth user-token."
        )


def _check_for_many(settings: Settings, host: str) -> None:
    for name in ("user_token", "account"):
        if getattr(settings, name):
            raise InvalidSettings(
                f"{PREFIX}{name.upper()} is one person's, and with BOSA_AUTH=user-token every client brings its own:"
                " unset it"
            )
    if addresses.is_everywhere(host) and not (settings.public_url or settings.allowed_hosts):
        raise InvalidSettings(
            f"--host {host[:80]}: set BOSA_PUBLIC_URL or BOSA_ALLOWED_HOSTS to the name by which clients reach it"
        )


def _config(file: Path) -> Path:
    try:
        return _expanded(file)
    except ValueError as odd:
        raise InvalidSettings(f"--config: {odd}") from None


def _read(file: Path, *, must_exist: bool) -> dict[str, Any]:
    """What stands in the file, by key. Raises InvalidSettings."""
    try:
        content = tomllib.loads(file.read_text("utf-8-sig"))  # some editors begin a text with a mark
    except FileNotFoundError:
        if must_exist:
            raise InvalidSettings(f"{file} does not exist: --config takes a TOML file") from None
        return {}
    except (OSError, ValueError) as odd:
        raise InvalidSettings(f"{file} cannot be read: {odd}") from odd
    for key in content:
        if key not in Settings.model_fields:
            similar = nearest(key.lower().removeprefix(PREFIX.lower()), Settings.model_fields)
            raise InvalidSettings(f"{file}: unknown key {key!r}" + (f", did you mean {similar!r}?" if similar else ""))
    return content


def _explain(odd: ValidationError, flags: Mapping[str, object], file: Path | None, kept: Mapping[str, object]) -> str:
    first = odd.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])
    is_secret = name in _HOLDS_SECRETS or "@" in str(first["input"])
    got = "" if is_secret else f", got {str(first['input'])[:80]!r}"
    inside = "".join(f"[{part}]" for part in first["loc"][1:])[:80]
    between = " cannot be used:" if name in _SECRETS else ":"  # what follows a secret's name and a colon is hidden
    return f"{_place(name, flags, file, kept)}{inside}{between} {first['msg'].removeprefix('Value error, ')}{got}"


def _place(name: str, flags: Mapping[str, object], file: Path | None, kept: Mapping[str, object]) -> str:
    """Where the setting of this name comes from, as a person wrote it."""
    variable = PREFIX + name.upper()
    if name in flags:
        return f"--{name.replace('_', '-')}"
    is_set = any(value and each.upper().partition("__")[0] == variable for each, value in os.environ.items())
    return f"{file}: {name}" if name in kept and not is_set else variable
