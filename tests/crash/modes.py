"""A server's settings for durability, and what they promise after a crash of the process.

A killed process loses nothing that it gave to the kernel: here `no` promises as much as `everysec`.
"""

from dataclasses import dataclass

# redis.conf: with everysec, a write to the log waits up to two seconds for an fsync under way.
UNSAFE_S = {"cloakroom": 1.0, "redis": 2.1}


@dataclass(frozen=True)
class Mode:
    """`appendfsync` is None where only snapshots are taken."""

    name: str
    appendfsync: str | None

    @property
    def has_log(self):
        return self.appendfsync is not None

    def directives(self, rng):
        """The settings of one life: what the mode needs, and some more chosen at random."""
        common = {"rdbcompression": rng.choice(["yes", "no"]), "save": '""',
                  # Some disks are slow: a pause of one microsecond, and a switch of threads, per this many keys.
                  "rdb-key-save-delay": rng.choice(["0", "-100", "-20"])}
        if not self.has_log:
            # Save points save in addition to the commands; what they promise does not count.
            return {**common, "save": rng.choice(['""', "1 1"])}
        return {
            **common,
            "appendonly": "yes",
            "appendfsync": self.appendfsync,
            "aof-use-rdb-preamble": rng.choice(["yes", "yes", "no"]),
            "aof-timestamp-enabled": rng.choice(["yes", "no"]),
            "auto-aof-rewrite-percentage": rng.choice(["0", "100"]),
            "auto-aof-rewrite-min-size": "1mb",
        }

    def promised(self, kind, writer, killed_at, saved):
        """The unit of `writer` up to which everything must be there. `saved` is its last acknowledged
        unit before the last snapshot that is known to have finished."""
        if self.appendfsync == "always":
            return writer.acknowledged
        if self.has_log:
            return writer.acknowledged_at(killed_at - UNSAFE_S[kind])
        return saved


MODES = (Mode("always", "always"), Mode("everysec", "everysec"), Mode("no", "no"),
         Mode("snapshots", None))
