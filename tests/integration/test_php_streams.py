"""PHP workers that share a stream of jobs in a consumer group, through phpredis."""

from pathlib import Path

import pytest

from programs import together

PHP = Path(__file__).parent / "php"
WORKERS = 3
JOBS = 300


@pytest.fixture
def php(program):
    """The command line of one of our PHP programs."""
    def command(script, *arguments):
        return [program("php"), str(PHP / script), *map(str, arguments)]
    return command


def test_every_job_is_finished_once(server, php):
    with server.connect() as connection:
        connection.ok("XGROUP", "CREATE", "jobs", "workers", "0", "MKSTREAM")
        for job in range(JOBS):
            connection.ok("XADD", "jobs", "*", "name", job, "data", "d" * (job % 100))
        for _ in range(WORKERS):
            connection.ok("XADD", "jobs", "*", "name", "stop")
        finished = together([php("stream_consumer.php", server.port, f"worker{n}")
                             for n in range(WORKERS)])
        done = connection.ok("HGETALL", "done")
        assert sum(map(int, done[1::2])) == sum(map(int, finished))
        assert set(done[1::2]) == {b"1"}, "no job is finished twice"
        left = connection.ok("XPENDING", "jobs", "workers")[0]
        assert len(done) // 2 + left == JOBS, "what is not finished is pending"
