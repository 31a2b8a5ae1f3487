"""Everything public, listed once."""

import pytest

import bosa_connectors

PUBLIC = {
    "Action": "bosa_connectors.calls",
    "AsyncBosaConnector": "bosa_connectors.aio",
    "BosaConnector": "bosa_connectors.connector",
    "BosaError": "bosa_connectors.errors",
    "Call": "bosa_connectors.calls",
    "Catalogue": "bosa_connectors.catalogue",
    "Credentials": "bosa_connectors.calls",
    "Reply": "bosa_connectors.calls",
}


def test_everything_public_is_exported_sorted() -> None:
    assert bosa_connectors.__all__ == sorted(PUBLIC)


def test_everything_public_comes_from_the_module_that_defines_it() -> None:
    homes = {name: getattr(bosa_connectors, name).__module__ for name in bosa_connectors.__all__}
    assert homes == PUBLIC


@pytest.mark.parametrize("name", ["Nothing", "wire_", "import_module_", "_Validator"])
def test_what_is_not_public_is_not_there(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'bosa_connectors' has no attribute '{name}'"):
        getattr(bosa_connectors, name)
