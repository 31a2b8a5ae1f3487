"""The connectors that every hub has."""

from bosa_hub.connectors.files import Files
from bosa_hub.connectors.notes import Notes
from bosa_hub.connectors.sql import Sql
from bosa_hub.plugin import Connector


def built_in() -> tuple[Connector, ...]:
    """`files`, `notes` and `sql`."""
    return Files(), Notes(), Sql()
