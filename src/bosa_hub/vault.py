"""Secrets that must be read again, unlike those that are only compared: encrypted wherever they are kept."""

from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken

from bosa_hub.errors import SetupError

_ADVICE = 'Make one: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class WrongKey(Exception):
    """What was kept was encrypted with another key, or has been changed."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Encrypts and decrypts with one key."""

    _fernet: Fernet = field(repr=False)

    def seal(self, secret: str) -> bytes:
        """What may be kept."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """The secret.

        Raises:
            WrongKey: It was sealed with another key, or has been changed.

        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise WrongKey from None


def new_encryption_key() -> str:
    """A key for `Vault`: 256 random bits, in URL-safe base64."""
    return Fernet.generate_key().decode()


def open_vault(key: str, named: str = "The encryption key", advice: str = _ADVICE) -> Vault:
    """The vault of this key; `named` and `advice` are for the person who gave one that is none.

    Raises:
        SetupError: The text is no key.

    """
    try:
        return Vault(Fernet(key))
    except ValueError:
        raise SetupError(f"{named} is none: it must be 32 bytes in URL-safe base64. {advice}") from None
