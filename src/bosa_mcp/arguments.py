"""What a model sent becomes what the action takes, and what is ours."""

from collections.abc import Mapping

from bosa_connectors.errors import InvalidArguments, Problem
from bosa_connectors.shapes import is_array
from bosa_mcp.tools import Offer


def split(offer: Offer, arguments: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """The action's own arguments, and the fields that the server is to select from the reply.

    Where the action selects fields itself, they are among its arguments and there are none left to select.
    """
    if offer.fields_argument in offer.action.properties:
        return dict(arguments), []
    own = {name: value for name, value in arguments.items() if name != offer.fields_argument}
    return own, _paths(offer.fields_argument, arguments.get(offer.fields_argument))


def _paths(name: str, value: object) -> list[str]:
    paths = [path for path in value if isinstance(path, str)] if is_array(value) else []
    if value is not None and paths != value:
        expected = 'array of dotted paths, such as ["id", "user.login"]'
        raise InvalidArguments([Problem(name, f"Expected {expected}", expected)])
    return paths
