"""An account linked in a real browser: redirects, a form and cookies as Chromium has them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ..bosa_hub.oauth_bench import Things, hub_with, new_user, things  # noqa: TID252  test folders are no packages
from ..bosa_hub.oauth_provider import providing  # noqa: TID252  likewise

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _shown(url: str, folder: Path) -> str:
    """The page where the browser ends up."""
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", "--no-proxy-server"]
    command = [str(CHROMIUM), *flags, "--virtual-time-budget=10000", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_person_agrees_in_a_browser(tmp_path: Path) -> None:
    with providing() as provider, hub_with(tmp_path / "data", Things(provider)) as hub, new_user(hub) as ada:
        provider.asks = True
        begun = ada.post("/connectors/things/integrations", json={"callback_url": f"{provider.url}/done?from=hub"})
        page = _shown(begun.json()["data"]["url"], tmp_path / "browser")
        assert '<p id="end">from=hub&amp;user_identifier=ada%40service.example</p>' in page
        assert things(ada).json()["data"]["things"] == [1, 2, 3]
