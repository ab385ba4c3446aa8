"""The page, in a real browser."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bots.server.access import access_rules
from charbot.personas.library import Library
from tests.bots.server.conftest import KEY, Gate, served

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed")]

DESK, PHONE = (1280, 800), (390, 844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=8_000)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@contextmanager
def opened(browser: Browser, address: str, size: tuple[int, int] = DESK, **settings: Any) -> Iterator[Page]:
    """The page, which must not complain to the console, nor ask any other server for anything."""
    complaints: list[str] = []
    with browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **settings) as context:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((address.partition("#")[0], "data:")) else complaints.append(request.url)
            ),
        )
        page.goto(address)
        yield page
    assert not [complaint for complaint in complaints if "status of 401" not in complaint]


def _say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Your message").fill(text)
    page.get_by_role("textbox", name="Your message").press("Enter")


def _replies(page: Page, count: int) -> None:
    expect(page.locator(".turn:not(.mine)")).to_have_count(count)
    expect(page.locator("#typing")).to_be_hidden()


def _tab_to(page: Page, name: str, key: str) -> None:
    """Press a key until the focus is on the button or link of that name."""
    for _ in range(40):
        page.keyboard.press(key)
        if name in page.evaluate(
            "[document.activeElement.ariaLabel, document.activeElement.querySelector('.name')?.textContent]"
        ):
            return
    pytest.fail(f"{key} does not lead to {name}")


def test_the_keyboard_alone_leads_to_the_second_reply(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        expect(page.get_by_role("button", name="Bob")).to_be_visible()
        _tab_to(page, "Bob", "Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
        for number in (1, 2):
            page.keyboard.type("More tea?")
            page.keyboard.press("Enter")
            _replies(page, number)
        expect(page.get_by_role("log", name="Conversation with Bob").locator(".mine p")).to_have_text(["More tea?"] * 2)
        # And back to the choice.
        _tab_to(page, "Choose somebody else", "Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Who do you want to talk to?")


def test_another_candidate_is_taken(browser: Browser, address: str) -> None:
    with opened(browser, f"{address}/#ann") as page:
        page.get_by_role("button", name="Are you hungry?").click()
        _replies(page, 1)
        first = page.locator(".turn:not(.mine) p").inner_text()
        page.get_by_role("button", name="Why this one?").click()
        candidates = page.get_by_role("list", name="Candidates: the reply, then the others, best first").get_by_role("button")
        expect(candidates.locator("[aria-current] .text, .text").first).to_have_text(first)
        candidates.nth(1).click()
        expect(page.locator(".turn:not(.mine) p")).to_have_text(candidates.nth(1).locator(".text").inner_text())
        page.get_by_role("button", name="Another reply").click()
        expect(page.get_by_role("list", name="Candidates: the reply, then the others, best first")).to_have_count(0)
        _replies(page, 1)
        expect(page.get_by_role("button", name="Another reply")).to_be_focused()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_two_personas_play_a_scene(browser: Browser, address: str, size: tuple[int, int]) -> None:
    with opened(browser, f"{address}/#ann", size) as page:
        page.get_by_role("button", name="Add somebody to the scene").click()
        page.get_by_role("dialog").get_by_role("button", name="Cy").click()
        page.get_by_role("button", name="Let Ann speak").click()
        _replies(page, 1)
        page.get_by_role("textbox", name="Your message").press("Enter")
        _replies(page, 2)
        expect(page.locator(".turn .name")).to_have_text(["Ann", "Cy"])
        page.get_by_role("button", name="Let them talk").click()
        _replies(page, 4)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Let Ann speak")).to_be_enabled()
        expect(page.locator(".turn .name")).to_have_text(["Ann", "Cy"] * 2)
        assert page.evaluate("document.documentElement.scrollWidth") == size[0], "nothing sticks out"
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Ann")
        expect(page.locator(".turn")).to_have_count(4)


def test_the_other_persona_s_lines_are_sent_under_its_name(browser: Browser, address: str) -> None:
    with opened(browser, f"{address}/#ann+bob") as page:
        with page.expect_request(re.compile("completions")):
            page.get_by_role("button", name="Let Ann speak").click()
        _replies(page, 1)
        with page.expect_request(re.compile("completions")) as sent:
            page.get_by_role("button", name="Let Bob speak").click()
        said = page.locator(".turn p").first.inner_text()
        assert json.loads(sent.value.post_data or "")["messages"] == [{"role": "user", "content": said, "name": "Ann"}]
        _replies(page, 2)


def test_a_reply_is_stopped(browser: Browser, company: Library, gate: Gate) -> None:
    with served(company) as started, opened(browser, f"{started}/#ann") as page:
        _say(page, "More tea?")
        expect(page.get_by_role("status")).to_have_text("Ann is typing")
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        assert gate.entered.wait(30)
        page.keyboard.press("Escape")
        expect(page.locator("#typing")).to_be_hidden()
        assert gate.stopped.wait(30)
        gate.opened.set()
        page.get_by_role("button", name="Try again").click()
        _replies(page, 1)
        expect(page.locator(".mine")).to_have_count(1)
        expect(page.get_by_role("button", name="Try again")).to_be_hidden()
        page.get_by_role("button", name="Start over").click()
        expect(page.locator(".turn")).to_have_count(0)


def test_what_goes_wrong_is_told(browser: Browser, library: Library) -> None:
    (library.find("ann") / "word.safetensors").write_bytes(b"damaged")
    with served(library) as started, browser.new_page() as page:
        page.goto(f"{started}/#ann")
        _say(page, "More tea?")
        expect(page.get_by_role("alert")).to_contain_text("word.safetensors")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_key_is_asked_for(browser: Browser, company: Library) -> None:
    with served(company, rules=access_rules("0.0.0.0", KEY)) as started, opened(browser, started) as page:
        for key, problem in (
            ("schl\u00fcssel", "English letters"),
            ("\N{KEY}", "English letters"),
            ("wrong", "wrong"),
            (KEY, ""),
        ):
            page.get_by_role("dialog").get_by_label("Key", exact=True).fill(key)
            page.keyboard.press("Enter")
            if problem:
                expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(problem)
        expect(page.get_by_role("button", name="Ann")).to_be_visible()
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.reload()
        expect(page.get_by_role("button", name="Ann")).to_be_visible()


def test_dark_and_light_are_chosen(browser: Browser, address: str) -> None:
    def background(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    with opened(browser, address, color_scheme="dark") as page:
        dark = background(page)
        page.get_by_role("button", name="Light colours").click()
        light = background(page)
        assert light != dark
        page.reload()
        assert background(page) == light
    with opened(browser, address, color_scheme="light") as page:
        assert background(page) == light


def test_personas_are_found_by_name_and_show(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        find = page.get_by_role("searchbox", name="Find a name or a show")
        for typed, names in (("bo", ["Bob"]), ("other", ["Cymature"]), ("ob", []), ("", ["Ann", "Bob", "Cymature"])):
            find.fill(typed)
            expect(page.locator("#shows .name")).to_have_text(names)
        find.fill("x")
        expect(page.get_by_role("status")).to_have_text("Nobody of that name.")
        find.fill("cy")
        find.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Cy")
