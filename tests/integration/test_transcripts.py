"""Recorded traffic of Magento's PHP libraries gets the replies that Redis 7.0.15 gave."""

import time
from pathlib import Path

import pytest

import transcript

FOLDER = Path(__file__).parent / "transcripts"
FILES = sorted(FOLDER.glob("*.jsonl"))


class Replay:
    """Replays one file on a server, each connection on its own, never before the recorded time."""

    def __init__(self, server):
        self._server = server
        self._connections = {}
        self._scans = transcript.Scans()
        self._start = time.monotonic()
        self.requests = 0

    def play(self, events):
        for group in transcript.batches(events):
            ahead_s = group[0]["t"] / 1000 - (time.monotonic() - self._start)
            if ahead_s > 0:
                time.sleep(ahead_s)
            if "ev" in group[0]:
                self._connect_or_close(group[0])
            else:
                self._exchange(group)
        for connection in self._connections.values():
            connection.close()

    def _connect_or_close(self, event):
        if event["ev"] == "open":
            self._connections[event["c"]] = self._server.connect()
        else:
            self._connections.pop(event["c"]).close()

    def _exchange(self, group):
        requests = [transcript.request(event) for event in group]
        replies = self._connections[group[0]["c"]].pipeline(requests)
        for event, arguments, got in zip(group, requests, replies):
            recorded = transcript.reply(event["r"], event["values"])
            assert self._is_right(event, arguments, got, recorded), (
                f"request {self.requests} of connection {event['c']}: {arguments!r}\n"
                f"recorded {recorded!r} ({event.get('nd', 'exactly')})\n     got {got!r}")
            self.requests += 1

    def _is_right(self, event, arguments, got, recorded):
        by_iteration = event.get("nd") == "scan" and not arguments[0].upper().startswith(b"EVAL")
        if by_iteration:
            return self._scans.check(event["c"], arguments, got, recorded)
        return transcript.matches(got, recorded, event.get("nd"))


def test_there_are_transcripts():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_traffic_gets_the_recorded_replies(server, path):
    header, events = transcript.load(path)
    replay = Replay(server)
    replay.play(events)
    assert replay.requests == header["requests"]
