"""Fills in the form at a link in Chromium, first wrongly, and prints what the pages look like, as JSON.

    python fill_in.py CHROMIUM URL FOLDER WRONG RIGHT

WRONG and RIGHT are objects from a question's label to its answer.
"""

# runs in an environment of its own, whose packages are not installed here
# pyright: basic, reportMissingImports=false

import json
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright


def fill(page: Page, answers: dict[str, str]) -> None:
    for label, text in answers.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Connect").click()
    page.wait_for_load_state()


def main(chromium: str, url: str, folder: str, wrong: str, right: str) -> None:
    told: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(url)
        kinds = page.eval_on_selector_all("input, select, textarea", "all => all.map(each => each.type)")
        styled = page.eval_on_selector("main", "it => getComputedStyle(it).borderRadius")
        page.screenshot(path=str(Path(folder) / "form.png"))
        fill(page, json.loads(wrong))
        refused = page.inner_text("main")
        kept = page.eval_on_selector_all("input", "all => all.map(each => each.value)")
        fill(page, json.loads(right))
        done = page.inner_text("main")
        page.screenshot(path=str(Path(folder) / "done.png"))
        page.goto(url)
        again = page.inner_text("main")
        browser.close()
    pages = {"kinds": kinds, "styled": styled, "refused": refused, "kept": kept, "done": done, "again": again}
    print(json.dumps({**pages, "console": told}))  # noqa: T201  for the test


if __name__ == "__main__":
    main(*sys.argv[1:])
