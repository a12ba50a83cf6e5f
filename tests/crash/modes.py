"""What a server is told about durability, and what that promises after a crash of the process.

A killed process loses nothing that it gave to the kernel: `no` promises as much as `everysec` here.
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
        """Settings of one life: what the mode needs, and by chance what goes with it."""
        common = {"rdbcompression": rng.choice(["yes", "no"]), "save": '""',
                  # Some disks are slow: a pause of one microsecond, and a change of threads, for so many keys.
                  "rdb-key-save-delay": rng.choice(["0", "-100", "-20"])}
        if not self.has_log:
            # Save points save besides the commands; what they promise is not counted.
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
        """The unit of `writer` up to which everything must be there. `saved` is what it had been
        acknowledged before the last snapshot that is known to be finished."""
        if self.appendfsync == "always":
            return writer.acknowledged
        if self.has_log:
            return writer.acknowledged_at(killed_at - UNSAFE_S[kind])
        return saved


MODES = (Mode("always", "always"), Mode("everysec", "everysec"), Mode("no", "no"),
         Mode("snapshots", None))
