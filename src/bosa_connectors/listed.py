"""The items that a page holds."""

from collections.abc import Mapping

from bosa_connectors import places
from bosa_connectors.calls import Action
from bosa_connectors.places import does_page
from bosa_connectors.shapes import is_array, is_object, items


def list_in(action: Action, data: object) -> str | None:
    """The name under which an object that came as a page holds its items; None where it is no page.

    It is the only list among the object's values; where there are several, the only one that holds objects.
    """
    if not is_object(data) or not does_page(action):
        return None
    lists = [name for name, value in data.items() if is_array(value)]
    of_objects = [name for name in lists if any(map(is_object, items(data[name])))]
    return next((found[0] for found in (lists, of_objects) if len(found) == 1), None)


def items_of(action: Action, data: object, name: str | None) -> list[object]:
    """The items of a page, `name` being where they are in an object.

    Other data are one item, but for null and for a page of nothing: an object whose lists are all empty, or one of
    mere scalars where the action takes a cursor.
    """
    if is_array(data):
        return data
    if is_object(data) and name is not None:
        return items(data.get(name))
    return [] if data is None or (is_object(data) and _is_nothing(action, data)) else [data]


def _is_nothing(action: Action, data: Mapping[str, object]) -> bool:
    if any(map(is_array, data.values())):
        return does_page(action) and not any(items(each) for each in data.values())
    return places.of(action).cursor is not None and not any(map(is_object, data.values()))
