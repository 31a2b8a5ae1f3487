"""The actions of a connector as LangChain tools, for one user and for another.

    pip install 'bosa-mcp[langchain]'
    python examples/langchain_tools.py

Give `tools` to any agent of LangChain. The model never sees a token: who is meant comes from the program.
"""

import tempfile
from pathlib import Path

from langchain_core.tools import BaseTool

from bosa_connectors import BOSAConnectorToolGenerator
from bosa_hub.serve import RunningHub, running


def named(tools: list[BaseTool], name: str) -> BaseTool:
    """The tool of this name."""
    return next(tool for tool in tools if tool.name == name)


def main(hub: RunningHub) -> None:
    """Writes a note as one user, looks for it as both, and makes a mistake."""
    ada, bob = hub.user_token("ada"), hub.user_token("bob")
    tools = BOSAConnectorToolGenerator(hub.url, hub.client_key, "notes", token=ada).generate_tools()
    print([tool.name for tool in tools])
    create = next(tool for tool in tools if "create_note" in tool.name)
    find = next(tool for tool in tools if "list_notes" in tool.name)
    print(create.invoke({"title": "Hello", "body": "from LangChain"}))
    print("ada has", find.invoke({"response_fields": ["title"]}))
    print("bob has", find.invoke({"response_fields": ["title"]}, {"configurable": {"bosa_user_token": bob}}))
    print(create.invoke({"titel": "a typo"}))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as started:
        main(started)
