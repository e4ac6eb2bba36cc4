"""Nothing is lost: dead servers, other tabs, lost answers; and nothing untrusted runs."""

import pytest
from tools.click.planted import planted
from tools.click.process import Process
from tools.click.serving import serving

pytestmark = pytest.mark.browser

FAILED_REQUESTS = ("Failed to load resource", "net::ERR")


class Gone:
    """Stands for the client of a server that is a process of its own."""

    def __init__(self, address):
        url, _, self.token = address.partition("#token=")
        self.port = int(url.rstrip("/").rpartition(":")[2])


def test_edits_wait_for_a_killed_server_and_are_sent_once_to_the_next(tmp_path, kernels, visit):
    """T21, R7: with a new token, which the page asks for, and with other numbers of images."""
    scene = next(iter(planted(tmp_path / "a", 1, targets=3).values()))
    with Process(tmp_path / "a", tmp_path / "out") as process:
        user = visit(Gone(process.start()), allowed=FAILED_REQUESTS)
        user.click(*scene.points[0])
        process.kill()
        for row, col in scene.points[1:]:
            user.click(row, col, wait=False)
        bar = user.page.locator(".alarm")
        bar.wait_for()
        assert "2 edits waiting" in bar.inner_text()
        planted(tmp_path / "a", 1, seed=7, sub="b")  # folders come first
        again = process.start()
        user.page.get_by_role("textbox", name="Address or token").fill(again)
        user.page.get_by_role("button", name="Go on").click()
        user.page.locator(".target").nth(2).wait_for()
        user.settle()
        bar.wait_for(state="hidden")
        user.on_image("f0000.tif")
        process.kill()
    with serving(tmp_path / "a", tmp_path / "out") as client:
        targets = client.server.desk.session.frame("f0000.tif", 0).targets
        assert [target.point for target in targets] == list(scene.points)
        assert not client.server.desk.session.frame("b/f0000.tif", 0).targets


def test_edits_that_waited_in_a_closed_tab_are_sent_by_the_next(tmp_path, served, visit):
    """R7: the browser keeps them."""
    scene = next(iter(planted(tmp_path / "a", 1).values()))
    user = visit(served(tmp_path / "a"), allowed=FAILED_REQUESTS)
    user.page.route("**/api/edits", lambda route: route.abort())
    user.click(*scene.points[0], wait=False)
    user.page.locator(".alarm").wait_for()
    user.page.unroute("**/api/edits")
    user.page.evaluate("localStorage.setItem('pointmask.outbox./elsewhere', '[{}, {}]')")
    # A new page of the same browser, since the old one would ask before it is left.
    user.page = user.page.context.new_page()
    user.open()
    assert user.points("f0000.tif") == [scene.points[0]]
    question = user.page.locator(".question")
    assert "2 edits wait in this browser for /elsewhere" in question.inner_text()


def test_an_edit_whose_answer_was_lost_is_not_done_twice(tmp_path, served, visit):
    """H1"""
    scene = next(iter(planted(tmp_path / "a", 1).values()))
    user = visit(served(tmp_path / "a"), allowed=FAILED_REQUESTS)
    lost = []

    def lose(route):
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch())
            route.abort()

    user.page.route("**/api/edits", lose)
    user.click(*scene.points[0])
    assert lost[0].status == 200
    assert user.points("f0000.tif") == [scene.points[0]]


def test_an_undo_whose_answer_was_lost_is_not_done_twice(tmp_path, served, visit):
    scene = next(iter(planted(tmp_path / "a", 1, targets=3).values()))
    user = visit(served(tmp_path / "a"), allowed=FAILED_REQUESTS)
    for row, col in scene.points:
        user.click(row, col)
    lost = []

    def lose(route):
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch())
            route.abort()

    user.page.route("**/api/undo", lose)
    user.press("z")
    user.page.wait_for_function("() => document.querySelectorAll('.target').length === 2")
    user.settle()
    assert user.points("f0000.tif") == list(scene.points[:2])
    assert len(lost) == 1


def test_a_full_disk_is_told_and_nothing_is_lost_when_there_is_room_again(tmp_path, served, visit):
    """T22, R4: three edits wait in their order."""
    scene = next(iter(planted(tmp_path / "a", 1, targets=3).values()))
    user = visit(served(tmp_path / "a"), allowed=FAILED_REQUESTS)
    error = {"error": {"code": "not_written", "message": "no space left on /out", "fix": "make room"}}
    user.page.route("**/api/edits", lambda route: route.fulfill(status=507, json=error))
    for row, col in scene.points:
        user.click(row, col, wait=False)
    bar = user.page.locator(".alarm")
    bar.wait_for()
    user.page.wait_for_function(
        "() => document.querySelector('.alarm').textContent.includes('3 edits not saved')"
    )
    assert "no space left on /out" in bar.inner_text()
    user.page.unroute("**/api/edits")
    user.settle()
    bar.wait_for(state="hidden")
    assert user.points("f0000.tif") == list(scene.points)


def test_two_tabs_see_each_other_and_a_conflict_is_told_and_can_be_repeated(tmp_path, served, visit):
    """T20, R8"""
    scene = next(iter(planted(tmp_path / "a", 1, targets=3).values()))
    client = served(tmp_path / "a")
    first, second = visit(client), visit(client, allowed=FAILED_REQUESTS)
    first.click(*scene.points[0])
    second.page.locator(".target").wait_for()  # within two and a half seconds, by itself
    second.page.route("**/api/changes*", lambda route: route.abort())  # the second one does not hear of it
    first.click(*scene.points[1])
    second.click(*scene.points[2], wait=False)
    question = second.page.locator(".question")
    question.wait_for()
    assert "changed in another tab" in question.inner_text()
    assert len(second.points("f0000.tif")) == 2
    second.page.unroute("**/api/changes*")
    second.page.get_by_role("button", name="Do it anyway").click()
    second.settle()
    assert second.points("f0000.tif") == list(scene.points)


def test_a_tab_that_is_at_work_hears_of_the_other_and_takes_no_edit_of_its_own_for_it(
    tmp_path, served, visit
):
    """R8"""
    names = list(scenes := planted(tmp_path / "a", 2))
    points = [scenes[name].points[0] for name in names]
    client = served(tmp_path / "a")
    first, second = visit(client), visit(client, allowed=FAILED_REQUESTS)
    second.press("d")
    second.on_image(names[1])
    second.page.route("**/api/changes*", lambda route: route.abort())
    first.click(*points[0])
    second.click(*points[1], wait=False)  # a later line of the journal
    second.page.locator(".target").wait_for()
    second.page.unroute("**/api/changes*")
    second.settle()
    held = []
    second.page.route("**/api/edits", lambda route: held.append(route))
    second.press("n", "Delete")
    second.page.wait_for_function("() => !document.querySelector('.target')")
    answer = held[0].fetch()
    with second.page.expect_response("**/api/changes*"):
        second.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    held[0].fulfill(response=answer)
    second.page.unroute("**/api/edits")
    second.settle()
    assert not second.page.get_by_text("changed in another tab").count()
    second.press("a")
    second.page.locator(".target").wait_for()
    assert [second.points(name) for name in names] == [[points[0]], []]


def test_a_file_that_is_written_anew_is_shown_and_taken_when_the_person_says_so(tmp_path, served, visit):
    """§9: no click on the old picture makes a mask of the new one."""
    scenes = planted(tmp_path / "a", 3)
    old, unmarked, new = scenes.values()
    user = visit(served(tmp_path / "a"), allowed=FAILED_REQUESTS)
    user.click(*old.points[0])
    for name in ("f0000.tif", "f0001.tif"):
        (tmp_path / "a" / name).write_bytes((tmp_path / "a" / "f0002.tif").read_bytes())
    before = user.canvas()
    user.click(*old.points[1])
    message = user.page.locator(".stage-message")
    message.wait_for()
    assert user.points("f0000.tif") == [old.points[0]]
    user.painted()
    assert (user.canvas() != before).any()
    user.page.get_by_role("button", name="Use the new file").click()
    user.settle()
    user.click(*new.points[1])
    assert user.points("f0000.tif") == [old.points[0], new.points[1]]
    user.press("d")
    user.on_image("f0001.tif")  # read ahead, as it was
    user.click(*unmarked.points[0])
    user.page.get_by_text("written anew after it was opened").wait_for()
    assert not user.points("f0001.tif")
    user.painted()
    user.click(*new.points[0])
    assert user.points("f0001.tif") == [new.points[0]]


HOSTILE = [
    "<img src=x onerror=alert(1)>.tif",
    "&lt;b&gt; \"quotes' .tif",
    "\u202egnp.exe\u202c \u05d0.tif",
    "n" * 250 + ".tif",
    "%2e%2e%2fetc.tif",
]


def test_hostile_names_are_text(tmp_path, served, visit):
    """T23, X10: shown literally, without a dialog, a request or an error."""
    planted(tmp_path / "a", 1)
    data = (tmp_path / "a" / "f0000.tif").read_bytes()
    for name in HOSTILE:
        (tmp_path / "a" / name).write_bytes(data)
    user = visit(served(tmp_path / "a", labels=("<i>x</i>", '"onclick="')))
    shown = user.page.locator(".tree bdi").all_inner_texts()
    assert set(HOSTILE) <= set(shown)
    for _ in range(len(HOSTILE)):
        user.press("d")
        user.painted()
    user.page.get_by_role("combobox", name="Find an image").fill("<img")
    user.page.locator(".hits li").first.wait_for()
    assert user.page.locator(".hits li").first.inner_text() == HOSTILE[0]
    assert user.page.locator("img, iframe, object, embed").count() == 0
    user.press("Escape", "End")
    user.page.locator(".stage-box[data-image*='.exe']").wait_for()
    user.press("a")
    user.on_image(HOSTILE[3])
    user.page.goto("about:blank")
    user.open()  # where work stopped
    user.on_image(HOSTILE[3])


def test_the_token_leaves_the_address_and_reload_works_and_a_new_tab_asks(tmp_path, served, visit):
    """T23, X3"""
    planted(tmp_path / "a", 1)
    client = served(tmp_path / "a")
    user = visit(client)
    assert client.token not in user.page.url
    assert client.token not in user.page.title()
    user.page.reload()
    user.on_image("f0000.tif")
    stranger = visit(client, begin=False, allowed=FAILED_REQUESTS)
    stranger.page.goto(stranger.url)
    field = stranger.page.get_by_role("textbox", name="Address or token")
    field.fill("nonsense")
    stranger.page.get_by_role("button", name="Go on").click()
    stranger.page.get_by_text("There is no token in it").wait_for()
    field.fill(f"{user.url}#token={client.token}")
    stranger.page.get_by_role("button", name="Go on").click()
    stranger.on_image("f0000.tif")


def test_markup_that_gets_in_does_not_run(tmp_path, served, visit):
    """X11: the content policy of the running page, and its trusted types."""
    planted(tmp_path / "a", 1)
    user = visit(served(tmp_path / "a"), allowed=("Content Security Policy", "TrustedHTML", "TrustedScript"))
    refused = user.page.evaluate(
        """() => {
          const script = document.createElement("script");
          const said = [];
          const markup = () => (document.body.innerHTML = "<b>x</b>");
          const code = () => (script.text = "window.ran = 1");
          for (const put of [markup, code]) {
            try { put(); } catch (error) { said.push(error.name); }
          }
          document.body.append(script);
          return [said, window.ran === undefined];
        }"""
    )
    assert refused == [["TypeError", "TypeError"], True]


def test_addresses_lead_back_and_forward_and_to_an_image(tmp_path, served, visit):
    """T33"""
    names = list(planted(tmp_path / "a", 3))
    user = visit(served(tmp_path / "a"))
    user.press("d")
    user.on_image(names[1])
    deep = user.page.url
    user.press("d")
    user.on_image(names[2])
    user.page.go_back()
    user.on_image(names[1])
    user.page.go_forward()
    user.on_image(names[2])
    user.page.goto(deep)
    user.on_image(names[1])


def test_an_unreadable_image_says_why_and_the_next_one_works(tmp_path, served, visit):
    """T26"""
    planted(tmp_path / "a", 2, first=1)
    (tmp_path / "a" / "f0000.tif").write_bytes(b"II*\x00 this is no image")
    user = visit(served(tmp_path / "a"), allowed=FAILED_REQUESTS)
    message = user.page.locator(".stage-message")
    message.wait_for()
    assert "cannot be read" in message.inner_text()
    user.press("d")
    user.on_image("f0001.tif")
    assert not message.is_visible()


def test_an_empty_folder_says_so(tmp_path, served, visit):
    """B"""
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "a" / "notes.txt").write_text("nothing")
    user = visit(served(tmp_path / "a"), begin=False)
    user.page.goto(f"{user.url}#token={user.client.token}")
    user.page.get_by_text("pointmask check").wait_for()


def test_read_only_looks_and_writes_nothing(tmp_path, visit, served):
    scene = next(iter(planted(tmp_path / "a", 1).values()))
    out = tmp_path / "out"
    with serving(tmp_path / "a", out) as client:
        client.edit("add", 0, row=scene.points[0][0], col=scene.points[0][1])
    user = visit(served(tmp_path / "a", out=out, read_only=True))
    user.click(*scene.points[1])
    assert "Read only" in user.note
    assert user.points("f0000.tif") == [scene.points[0]]
