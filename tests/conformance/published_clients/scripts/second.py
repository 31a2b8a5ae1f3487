"""The flow of the second generation. Run by a Python that has bosa-connectors-binary 0.3."""

# its packages are in the environment of the client, not in this one
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import sys
from pathlib import Path

import accounts
import flow

from bosa_connectors.connector import BosaConnector
from bosa_connectors.models.file import ConnectorFile
from bosa_connectors.tool import BOSAConnectorToolGenerator

url, key, users = sys.argv[1:]
client = BosaConnector(url, key)

connectors = flow.discover(client)
flow.generate(BOSAConnectorToolGenerator, url, key, connectors)
user = flow.arrive(client, "second")
flow.share(client, user, flow.another(client, user))
flow.call(client, user.token)
flow.walk(client, user.token, "list_pages")
flow.walk(client, user.token, "list_cursors")
flow.carry(client, user.token, ConnectorFile)
flow.fail(client, user.token)
flow.place_databases(Path(users), user)
accounts.link(client, user.token)
