#!/usr/bin/python3
"""The configuration that packages install: cloakroom.conf with the lines that package.conf replaces.

    package_conf.py cloakroom.conf package.conf > packaged.conf

A directive of package.conf that cloakroom.conf does not set exactly once is an error.
"""

import sys


def directive(line):
    """The name that a line sets, or None for a comment or an empty line."""
    words = line.split()
    return None if not words or words[0].startswith("#") else words[0]


def packaged(original, replacements):
    """The lines of `original`, those of the same directives in `replacements` in their place."""
    names = [directive(line) for line in original]
    result = list(original)
    for line in replacements:
        name = directive(line)
        if name is None:
            continue
        if names.count(name) != 1:
            raise SystemExit(f"package_conf.py: '{name}' is set {names.count(name)} times, not once")
        result[names.index(name)] = line
    return result


def main(original, replacements):
    with open(original, encoding="utf-8") as lines, open(replacements, encoding="utf-8") as others:
        sys.stdout.writelines(packaged(list(lines), list(others)))


if __name__ == "__main__":
    main(*sys.argv[1:])
