"""A linked account with its credential."""

from typing import Final

_SHOWN: Final = (
    *("id", "client_id", "user_id", "connector", "user_identifier"),
    *("selected", "auth_status", "auth_scopes", "created_at", "updated_at"),
)


class Integration(dict[str, object]):
    """A linked account as the API says it: a dictionary, whose `auth_string` is the credential in clear.

    What it shows of itself holds no credential: of members that are not known to be harmless, only the names.
    """

    def __repr__(self) -> str:
        shown = {name: repr(value) if name in _SHOWN else "[hidden]" for name, value in self.items()}
        return f"{{{', '.join(f'{name!r}: {value}' for name, value in shown.items())}}}"
