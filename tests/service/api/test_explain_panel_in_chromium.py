"""The panel "Why?" of the web page in headless Chromium."""

from pathlib import Path

import pytest
from chromium import PHONE

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": PHONE, "is_mobile": True}])
def test_a_segment_is_explained_on_demand(open_page, talk: Path, options: dict) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="comes with the [dev] extra")
    page = open_page(**options)
    page.add_files(talk)
    page.wait_for_result()
    why = page.tab.get_by_role("button", name="Why?")
    assert why.get_attribute("aria-expanded") == "false"
    assert not [url for url in page.requested_urls if "/v1/explain" in url], "only on demand"
    why.focus()
    page.tab.keyboard.press("Enter")
    assert why.get_attribute("aria-expanded") == "true"
    page.press("Explain")
    page.wait_until("document.querySelector('#findings table') !== null")
    assert page.tab.locator("#findings > p").count() >= 3
    assert page.tab.locator("#findings caption").all_inner_texts() == [
        "Frequencies",
        "Properties, made average",
        "Time",
    ]
    assert page.tab.locator("#findings svg rect.for, #findings svg rect.against").count() > 20
    found = axe.Axe().run(page.tab)
    assert found.violations_count == 0, found.generate_report()
    width = page.tab.evaluate("document.documentElement.clientWidth")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= width


def test_an_error_of_the_service_is_shown(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    page.press("Why?")
    error = '{"error": {"code": "invalid_audio", "message": "<b>broken</b>", "status": 422}}'
    page.tab.route("**/v1/explain", lambda route: route.fulfill(status=422, body=error))
    page.press("Explain")
    page.wait_until("document.querySelector('#why .error').textContent !== ''")
    assert page.tab.locator("#why .error").inner_text() == "<b>broken</b>"
    page.expect_errors()  # the browser logs the status
