"""The click page's server on a free port, in a thread, and a client that speaks plain HTTP with it."""

import json
import threading
from base64 import b64decode
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count

import numpy as np

from pointmask import Theta
from pointmask.click.server.serve import Server
from pointmask.click.server.start import Wish, opened
from pointmask.click.server.wire.address import listen
from pointmask.click.server.wire.guard import new_token
from tools.folders import save

THETA = Theta.load("default")


def scene(seed=0, shape=(64, 80), places=((20, 30), (40, 50))):
    """A noisy 16-bit frame with bright targets of 3 x 3 pixels."""
    image = np.random.default_rng(seed).normal(8000.0, 20.0, shape)
    for row, col in places:
        image[row - 1 : row + 2, col - 1 : col + 2] += 700
    return image.round().astype(np.uint16)


def scenes(folder, number=3):
    """A folder of such frames, f0.png and so on."""
    for k in range(number):
        save(folder / f"f{k}.png", scene(k))
    return folder


class Answer:
    """Status, headers and body of an answer."""

    def __init__(self, answer):
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """Sends one request at a time; keeps the connection if the server does."""

    def __init__(self, server, port, token):
        self.server, self.port, self.token = server, port, token
        self._edits = count(1)
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None, *, token="own", raw=None, **headers):
        """Headers are named with underscores; a value of None leaves one out."""
        sent = {"X-Pointmask-Token": self.token if token == "own" else token}
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self._connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
            for name, value in sent.items():
                for one in value if isinstance(value, list) else [value]:
                    if one is not None:
                        self._connection.putheader(name, one)
            if raw is not None and "Content-Length" not in sent:
                self._connection.putheader("Content-Length", str(len(raw)))
            self._connection.endheaders(raw)
            return Answer(self._connection.getresponse())
        except Exception:
            self._connection.close()
            raise

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)

    def edit(self, op, image=0, frame=0, **fields):
        """Send one edit, with an identifier of its own."""
        body = {"op": op, "image": image, "frame": frame, "edit": f"t-{next(self._edits)}", **fields}
        return self.post("/api/edits", {"edits": [body]})

    def journal(self):
        """The lines that were written so far."""
        path = self.server.desk.session.setup.out / "clicks.jsonl"
        return [json.loads(line) for line in path.read_bytes().splitlines()]

    def close(self):
        self._connection.close()


@contextmanager
def serving(images, out=None, *, allowed=(), warn=None, **wish):
    """Serve the page of a folder; yield a `Client`, whose `server` is the running one."""

    def fail(sentence):
        raise AssertionError(sentence)

    made = Wish(
        images=images,
        out=out or images.with_name(f"{images.name}-clicks"),
        **{"annotator": "mei", "theta": THETA, **wish},
    )
    with opened(made, warn or fail) as desk:
        desk.listing.wait()
        token = new_token()
        server = Server(desk, token, allowed=allowed)
        bound = listen("127.0.0.1", 0)
        client = Client(server, bound.getsockname()[1], token)
        thread = threading.Thread(target=server.run_on, args=(bound,))
        thread.start()
        try:
            yield client
        finally:
            client.close()
            server.should_exit = True
            thread.join()


def unpacked(target, shape):
    """The mask of a target over its frame."""
    mask = target["mask"]
    bits = np.unpackbits(
        np.frombuffer(b64decode(mask["bits"]), np.uint8), count=mask["height"] * mask["width"]
    )
    full = np.zeros(shape, bool)
    rows, cols = (
        slice(mask["top"], mask["top"] + mask["height"]),
        slice(mask["left"], mask["left"] + mask["width"]),
    )
    full[rows, cols] = bits.reshape(mask["height"], mask["width"])
    return full
