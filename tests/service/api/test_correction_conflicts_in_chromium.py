"""Two people correct one timeline on two pages: the second learns of it, and neither loses a correction."""

import json
from pathlib import Path

import pytest
from test_timelines import wait_until_finished

pytestmark = pytest.mark.slow

KEEP, TAKE = "Keep mine, replace theirs", "Take theirs"


@pytest.fixture
def pages(open_page, talk: Path):
    """Two pages of different people with the same timeline, on which both correct, and the path of its corrections."""
    anna = open_page()
    job = wait_until_finished(anna.served, anna.served.post("/v1/timeline", ("talk.flac", talk.read_bytes())))
    ben = open_page()
    for page in (anna, ben):
        page.tab.goto(f"{page.tab.url}#job={job['id']}")
        page.frame.get_by_role("button", name="Correct", exact=True).click()
    yield anna, ben, f"/v1/jobs/{job['id']}/corrections"
    for page in (anna, ben):
        refused = [text for text in page.errors if "412" in text]  # the browser reports the expected response
        assert all("Failed to load resource" in text for text in refused)
        page.errors[:] = [text for text in page.errors if text not in refused]


def label(page, text: str) -> None:
    """Give the selected segment a label that is no class."""
    page.frame.get_by_role("button", name="Correct", exact=True).press("o")  # the focus may be outside of the frame
    page.frame.get_by_label("Another label").fill(text)
    page.tab.keyboard.press("Enter")
    page.frame.locator("#segments .label", has_text=f"{text} (person)").wait_for()


def wait_until_saved(page) -> None:
    page.frame.locator("#correction-status:text('Saved in the service')").wait_for()


def stored_labels(page, path: str) -> list[str]:
    segments = page.served.ask("GET", path).json["segments"]
    return [row["emotion"] for row in segments if row["decided_by"] == "person"]


def make_conflict(anna, ben, path: str) -> None:
    """Anna saves a label, and Ben, whose page does not have it, another one."""
    label(anna, "from anna")
    wait_until_saved(anna)
    label(ben, "from ben")
    status = ben.frame.locator("#correction-status", has_text="Another person has changed these corrections")
    status.get_by_role("button", name=KEEP).wait_for()
    status.get_by_role("button", name=TAKE).wait_for()
    assert stored_labels(anna, path) == ["from anna"], "it is not overwritten"
    assert ben.frame.locator("#segments .label", has_text="from ben (person)").count(), "Ben's is still shown"


def test_the_corrections_of_the_other_person_are_taken_and_own_ones_come_back_by_undo(pages) -> None:
    anna, ben, path = pages
    make_conflict(anna, ben, path)
    ben.frame.get_by_role("button", name=TAKE).click()
    ben.frame.locator("#segments .label", has_text="from anna (person)").wait_for()
    ben.frame.locator("#correction-status", has_text="Undo brings yours back").wait_for()
    assert ben.frame.get_by_role("button", name=KEEP).count() == 0
    assert ben.tab.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))"), "nothing is unsaved"
    assert stored_labels(anna, path) == ["from anna"]
    ben.frame.get_by_role("button", name="Undo", exact=True).click()
    ben.frame.locator("#segments .label", has_text="from ben (person)").wait_for()
    wait_until_saved(ben)
    assert stored_labels(anna, path) == ["from ben"]


def test_own_corrections_are_kept_and_the_other_person_learns_of_it_in_turn(pages) -> None:
    anna, ben, path = pages
    make_conflict(anna, ben, path)
    assert ben.tab.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))"), "they would be lost"
    ben.press("CSV")
    ben.tab.get_by_role("alert").filter(has_text="another person has changed them").wait_for()
    label(ben, "more from ben")  # correcting goes on, and is kept too
    ben.frame.get_by_role("button", name=KEEP).click()
    wait_until_saved(ben)
    assert stored_labels(ben, path) == ["more from ben"]
    label(anna, "again from anna")
    anna.frame.get_by_role("button", name=TAKE).click()
    anna.frame.locator("#segments .label", has_text="more from ben (person)").wait_for()
    assert stored_labels(anna, path) == ["more from ben"]


def test_the_choice_is_accessible(pages) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="comes with the [dev] extra")
    anna, ben, path = pages
    make_conflict(anna, ben, path)
    found = axe.Axe().run(ben.tab)
    assert found.violations_count == 0, found.generate_report()
    ben.frame.get_by_role("button", name=TAKE).press("Enter")
    ben.frame.locator("#segments .label", has_text="from anna (person)").wait_for()


def test_a_third_change_before_the_decision_is_a_conflict_again(pages) -> None:
    anna, ben, path = pages
    make_conflict(anna, ben, path)
    label(anna, "later from anna")
    wait_until_saved(anna)
    with ben.tab.expect_response(lambda response: response.status == 412):
        ben.frame.get_by_role("button", name=KEEP).click()
    ben.frame.get_by_role("button", name=TAKE).click()
    ben.frame.locator("#segments .label", has_text="later from anna (person)").wait_for()
    assert stored_labels(ben, path) == ["later from anna"]


def test_an_open_conflict_survives_a_look_at_another_recording(pages, talk: Path, tmp_path: Path) -> None:
    anna, ben, path = pages
    make_conflict(anna, ben, path)
    other = tmp_path / "other.flac"
    other.write_bytes(talk.read_bytes())
    ben.tab.get_by_role("region", name="Add a recording").locator("input[type=file]").set_input_files(other)
    ben.wait_until("document.querySelector('iframe')?.title === 'Timeline of other.flac'")
    ben.row.filter(has_text="talk.flac").locator(".name").click()
    ben.wait_until("document.querySelector('iframe')?.title === 'Timeline of talk.flac'")
    ben.frame.locator("#segments .label", has_text="from ben (person)").wait_for()
    ben.frame.get_by_role("button", name=KEEP).click()
    wait_until_saved(ben)
    assert stored_labels(ben, path) == ["from ben"]


def test_two_tabs_of_one_person_and_another_program(pages) -> None:
    anna, _, path = pages
    tab = anna.context.new_page()
    tab.goto(anna.tab.url)
    second = tab.frame_locator("iframe")
    second.get_by_role("button", name="Correct", exact=True).click()
    label(anna, "in the first tab")
    wait_until_saved(anna)
    second.locator("#segments .label", has_text="in the first tab (person)").wait_for()
    tab.keyboard.press("w")  # the second tab knows the corrections of the first, and their entity tag
    second.locator("#correction-status:text('Saved in the service')").wait_for()
    anna.frame.locator("#segments .label", has_text="wrong (").wait_for()
    body = json.dumps({"segments": []}).encode()
    assert anna.served.ask("PUT", path, body, Content_Type="application/json").status == 204
    label(anna, "after the program")
    anna.frame.get_by_role("button", name=TAKE).click()
    anna.frame.locator("#segments .label", has_text="(person)").wait_for(state="detached")
    assert anna.served.ask("GET", path).content == body


def test_own_corrections_whose_response_was_lost_are_no_conflict(pages) -> None:
    anna, _, path = pages

    def lose_response(route) -> None:
        route.fetch()
        route.abort()

    anna.tab.route("**/corrections", lose_response)
    label(anna, "first")
    anna.frame.locator("#correction-status", has_text="cannot be reached").wait_for()
    assert stored_labels(anna, path) == ["first"]
    label(anna, "second")  # before the first is sent again
    anna.tab.unroute("**/corrections")
    wait_until_saved(anna)
    assert stored_labels(anna, path) == ["second"]
    anna.expect_errors()


def test_corrections_that_were_loaded_before_a_change_do_not_hide_it(pages) -> None:
    anna, _, path = pages
    waiting = []

    def hold_first(route) -> None:
        if route.request.method == "GET" and not waiting:
            waiting.append((route, route.fetch()))
        else:
            route.continue_()

    anna.tab.route("**/corrections", hold_first)
    job = path.split("/")[3]
    with anna.tab.expect_request("**/corrections"):
        anna.tab.evaluate(f"new BroadcastChannel('overtone-corrections:/').postMessage('{job}')")  # of another tab
    label(anna, "meanwhile")
    wait_until_saved(anna)
    ((route, response),) = waiting
    with anna.tab.expect_request_finished(lambda request: request != route.request):  # they are loaded again
        route.fulfill(response=response)
    label(anna, "afterwards")
    wait_until_saved(anna)
    assert stored_labels(anna, path) == ["afterwards"]
    assert anna.frame.get_by_role("button", name=TAKE).count() == 0


def test_corrections_that_the_page_cannot_show_are_not_replaced(pages) -> None:
    anna, ben, path = pages
    beyond = {"start_s": 0, "end_s": 1e6, "model_segment": 0, "decided_by": "person", "emotion": "from anna"}
    text = json.dumps({"segments": [beyond]})

    def replace_response(route) -> None:
        response = route.fetch()
        is_get = route.request.method == "GET"
        route.fulfill(response=response, body=text if is_get else response.body())

    ben.tab.route("**/corrections", replace_response)
    make_conflict(anna, ben, path)
    ben.frame.get_by_role("button", name=TAKE).click()
    ben.frame.locator("#correction-status", has_text="cannot show the corrections").wait_for()
    for name in ("Correct", "Undo", "Redo"):
        assert ben.frame.get_by_role("button", name=name, exact=True).is_disabled()
