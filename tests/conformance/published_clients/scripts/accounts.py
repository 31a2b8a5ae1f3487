"""Accounts as the clients since the second generation manage them. Run by a published client's own Python."""

# its packages are in the environment of the client, not in this one
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

from flow import configuration, query
from steps import Anything, step


def link(client: Anything, token: str) -> None:
    """Two accounts, linked, chosen, looked at and removed."""

    def accounts() -> list[tuple[str, bool]]:
        integrations = client.get_user_info(token).integrations
        return [(account.user_identifier, account.selected) for account in integrations]

    step("has none", lambda: client.user_has_integration("sql", token))
    for name in ("shop", "mill"):
        step(
            f"configure {name}",
            lambda name=name: client.initiate_plugin_configuration("sql", token, configuration(name)),
        )
    step("configure one twice", lambda: client.initiate_plugin_configuration("sql", token, configuration("shop")))
    step("configure nonsense", lambda: client.initiate_plugin_configuration("sql", token, configuration("nowhere")))
    step("has one", lambda: client.user_has_integration("sql", token))
    step("accounts", accounts)
    shop, mill = (identifier for identifier, _ in accounts())
    step("get", lambda: client.get_integration("sql", token, shop))
    step("the selected account acts", lambda: query(client, token))
    step("a named account acts", lambda: query(client, token, identifier=mill))
    step("select", lambda: client.select_integration("sql", token, mill))
    step("accounts after selecting", accounts)
    step("the other account acts", lambda: query(client, token))
    step("an unknown account acts", lambda: query(client, token, identifier="nobody"))
    for verb in ("get", "select", "remove"):
        step(f"{verb} an unknown account", lambda verb=verb: act(client, verb, token, "nobody"))
    step("remove", lambda: client.remove_integration("sql", token, mill))
    step("accounts afterwards", accounts)
    step("remove the other", lambda: client.remove_integration("sql", token, shop))
    step("has none again", lambda: client.user_has_integration("sql", token))


def act(client: Anything, verb: str, token: str, account: str) -> Anything:
    """What the client says when it gets, selects or removes this account."""
    return getattr(client, f"{verb}_integration")("sql", token, account)
