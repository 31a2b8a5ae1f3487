"""The flow of the first generation. Run by a Python that has bosa-connectors-binary 0.1."""

# its packages are in the environment of the client, not in this one
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import sys
from pathlib import Path

import flow
import requests
from steps import step

from bosa_connectors.connector import BosaConnector
from bosa_connectors.models.file import ConnectorFile
from bosa_connectors.tool import BOSAConnectorToolGenerator

url, key, users = sys.argv[1:]
client = BosaConnector(url, key)

connectors = flow.discover(client)
flow.generate(BOSAConnectorToolGenerator, url, key, connectors)
user = flow.arrive(client, "first")
flow.share(client, user, flow.another(client, user))
flow.call(client, user.token)
flow.walk(client, user.token, "list_pages")
flow.walk(client, user.token, "list_cursors")
flow.carry(client, user.token, ConnectorFile, flow.TEXT)
flow.fail(client, user.token)

flow.place_databases(Path(users), user)
step("has none", lambda: client.user_has_integration("sql", user.token))
# this generation cannot configure an account, only use and remove it
for name in ("shop", "mill"):
    credentials = {"X-API-Key": key, "Authorization": f"Bearer {user.token}"}
    body = {"auth_type": "custom", "configuration": flow.configuration(name)}
    configured = requests.post(f"{url}/connectors/sql/integrations", json=body, headers=credentials, timeout=20)
    step(f"configure {name}", configured.json)
step("has one", lambda: client.user_has_integration("sql", user.token))
step("accounts", lambda: client.get_user_info(user.token))
step("the selected account acts", lambda: flow.query(client, user.token))
step("remove", lambda: client.remove_integration("sql", user.token))
step("accounts afterwards", lambda: client.get_user_info(user.token))
step("remove the other", lambda: client.remove_integration("sql", user.token))
step("has none again", lambda: client.user_has_integration("sql", user.token))
step("remove what is not there", lambda: client.remove_integration("sql", user.token))
