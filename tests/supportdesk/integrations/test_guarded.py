"""Addresses that people type in lead to the internet, and nowhere into our own network."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from supportdesk.integrations import guarded
from supportdesk.integrations.base import IntegrationError

INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[ff02::1]/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
]
NO_ADDRESS = [
    "",
    "desk.example",
    "//desk.example/",
    "ftp://desk.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "https://",
    "https://user:secret@desk.example/",
    "https://user@desk.example/",
    "https://desk.example:99999/",
    "https://de\nsk.example/",
    "https://[::1/",
    "https://" + "a" * 3000,
]


class Canary:
    """A server inside our network. Nobody may get here."""

    def __init__(self):
        canary = self
        self.visits = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                canary.visits.append((self.path, dict(self.headers)))
                if self.path == "/elsewhere":
                    self.send_response(302)
                    self.send_header("Location", "/inside")
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * 2000)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def canary():
    made = Canary()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def unvisited(canary):
    canary.visits.clear()


@pytest.fixture
def reachable(settings):
    settings.REACHABLE_NETWORKS = ["127.0.0.0/8"]


@pytest.mark.parametrize("url", INSIDE)
def test_nothing_leads_into_our_own_network(canary, url):
    host_end = url.rindex("/", 0, url.index("/", 8) + 1)
    for address in (url, url.replace("http:", "https:"), f"{url[:host_end]}:{canary.port}/"):
        with pytest.raises(IntegrationError) as refused:
            guarded.fetch(address, timeout=1.0)
        assert not refused.value.ambiguous
    assert canary.visits == []


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_address_is_refused_before_anything_is_looked_up(url):
    with pytest.raises(guarded.Forbidden) as refused:
        guarded.parsed(url)
    assert refused.value.permanent


def _names(monkeypatch, *answers):
    """A name server of our own: each look-up gets the next answer."""
    left, system = list(answers), socket.getaddrinfo

    def answer(host, port, *more, **options):
        if not str(host).endswith(".example"):
            return system(host, port, *more, **options)
        addresses = left.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return left


def test_a_name_with_one_private_address_is_not_called(monkeypatch, canary):
    _names(monkeypatch, ["93.184.215.14", "127.0.0.1"])
    with pytest.raises(guarded.Forbidden, match="private network"):
        guarded.fetch("https://trap.example/")
    assert canary.visits == []


def test_a_name_that_changes_its_mind_is_asked_once(monkeypatch, canary, settings):
    """The second answer would lead inside; nobody asks a second time."""
    settings.REACHABLE_NETWORKS = ["127.0.0.1/32"]
    left = _names(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    assert guarded.fetch(f"http://rebinding.example:{canary.port}/hook").status == 200
    assert left == [["127.0.0.2"]]
    assert canary.visits[0][1]["Host"] == f"rebinding.example:{canary.port}"


def test_the_internet_is_called_by_https_on_its_usual_port(monkeypatch):
    for url in ("http://hooks.example/", "https://hooks.example:6379/"):
        _names(monkeypatch, ["93.184.215.14"])
        with pytest.raises(guarded.Forbidden, match="on the internet"):
            guarded.fetch(url)


def test_a_private_network_that_is_named_may_be_called(reachable, canary):
    answer = guarded.fetch(f"{canary.url}/hook?a=1", method="POST", body=b"{}", headers={"X-Note": "yes"})
    assert answer.is_success
    assert answer.is_whole
    path, headers = canary.visits[0]
    assert path == "/hook?a=1"
    assert headers["X-Note"] == "yes"


def test_a_redirect_is_an_answer_and_not_a_way(reachable, canary):
    assert guarded.fetch(f"{canary.url}/elsewhere").status == 302
    assert [path for path, _ in canary.visits] == ["/elsewhere"]


def test_a_long_answer_is_cut(reachable, canary):
    answer = guarded.fetch(canary.url, most_bytes=100)
    assert len(answer.body) == 100
    assert not answer.is_whole


def test_a_proxy_in_the_environment_is_not_used(monkeypatch, reachable, canary):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert guarded.fetch(canary.url).status == 200


def test_a_closed_port_may_be_tried_again(reachable):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(IntegrationError) as failed:
        guarded.fetch(f"http://127.0.0.1:{port}/")
    assert not failed.value.permanent
    assert not failed.value.ambiguous


def test_silence_is_ambiguous(reachable):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(IntegrationError) as failed:
        guarded.fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.2)
    assert failed.value.ambiguous
