"""Where listing, frames and session meet."""

from types import SimpleNamespace

from pointmask.click.server.desk import Desk


class HalfListed:
    """Two images in one folder, of which the second is not listed yet."""

    def __init__(self):
        self.names, self.complete = ["a.tif"], False

    def number(self, name):
        return self.names.index(name) if name in self.names else None

    def name(self, image):
        return self.names[image] if image < len(self.names) else None

    def at(self, place):
        return place

    def folder_of(self, image):
        return SimpleNamespace(first=0, place=lambda index: index)


def test_proposals_of_images_that_are_listed_later_are_found():
    listing = HalfListed()
    proposals = SimpleNamespace(frames=[("b.tif", 0), ("a.tif", 0)], of=lambda frame: [frame])
    session = SimpleNamespace(peek=lambda name, frame: (name, frame))
    desk = Desk(listing, None, session, proposals)
    assert desk.next_proposed(0, 0, 1) is None
    listing.names.append("b.tif")
    assert desk.next_proposed(0, 0, 1) == (1, 0)
    listing.complete = True
    assert desk.next_proposed(0, 0, 1) == (1, 0)
    assert desk.next_proposed(1, 0, -1) == (0, 0)
    assert desk.next_proposed(1, 0, 1) is None
