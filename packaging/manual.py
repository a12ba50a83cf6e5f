#!/usr/bin/python3
"""Makes man pages and shell completion from what the programs themselves print.

    manual.py page SOURCE VERSION DATE              section 8
    manual.py conf cloakroom.conf VERSION DATE      section 5, from the commented configuration
    manual.py completion SOURCE DEFAULTS            for bash; DEFAULTS as --print-defaults gives it

The result goes to standard output. SOURCE is the C++ file that has the text of --help as a raw string:
"name: what it is", then sections. A section's title ends in a colon, its entries are indented by two
blanks, and two blanks or more separate an entry from its meaning. Lines that are indented deeper
continue the line above.
"""

import re
import sys
from pathlib import Path


def roff(text):
    """Text escaped so that roff takes it literally, also at the start of a line."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped


def help_lines(source):
    """The lines of the text of --help."""
    return re.search(r'R"\((.*?)\)"', Path(source).read_text(encoding="utf-8"), re.DOTALL)[1].splitlines()


def sections(lines):
    """[(title, [(entry, meaning), ...]), ...] of a --help text without its first line."""
    found = []
    for line in lines:
        if re.fullmatch(r"\S.*:", line):
            found.append((line[:-1], []))
        elif found and re.match(r"  \S", line):
            entry, _, meaning = re.sub(r"\s{2,}", "\0", line.strip(), count=1).partition("\0")
            found[-1][1].append((entry, meaning))
        elif found and line.strip():
            entry, meaning = found[-1][1][-1]
            found[-1][1][-1] = (entry, f"{meaning} {line.strip()}".strip())
    return found


def header(name, section, version, date):
    return f'.TH {name.upper()} {section} "{date}" "Cloakroom {version}" "Cloakroom"'


def page(source, version, date):
    """A page of section 8."""
    first, *rest = help_lines(source)
    name, _, summary = first.partition(": ")
    lines = [header(name, 8, version, date), ".SH NAME", f"{name} \\- {roff(summary)}"]
    for title, entries in sections(rest):
        lines.append(f".SH {'SYNOPSIS' if title == 'Usage' else title.upper()}")
        for entry, meaning in entries:
            if title == "Usage":
                lines += [f".B {roff(entry)}", ".br"]
            else:
                lines += [".TP", f".B {roff(entry)}", roff(meaning)]
    lines += [".SH SEE ALSO", ".BR cloakroom.conf (5)"]
    return "\n".join(lines) + "\n"


def conf(conf_path, version, date):
    """cloakroom.conf(5): its comments as text, its directives set off, its headings as sections."""
    lines = [header("cloakroom.conf", 5, version, date), ".SH NAME",
             "cloakroom.conf \\- configuration of cloakroom\\-server", ".SH DESCRIPTION"]
    literal = False

    def set_literal(wanted):
        nonlocal literal
        if literal != wanted:
            lines.append(".EX" if wanted else ".EE")
        literal = wanted

    for line in Path(conf_path).read_text(encoding="utf-8").splitlines():
        heading = re.fullmatch(r"#{4,} (.+?) #{4,}", line)
        # Two words that are no sentence: a directive that the reader may set.
        suggestion = re.fullmatch(r"# [a-z-]+ \S*[^\s.,:;]", line)
        comment = re.fullmatch(r"# ?(.*)", line)
        if heading:
            set_literal(False)
            lines.append(f".SH {heading[1]}")
        elif suggestion:
            set_literal(True)
            lines.append(f"\\fB{roff(line)}\\fR")
        elif comment:
            set_literal(comment[1].startswith("  ") or bool(re.match(r"\d", comment[1])))
            lines.append(roff(comment[1]) if comment[1].strip() else ".PP")
        elif line:
            set_literal(True)
            lines.append(f"\\fB{roff(line)}\\fR")
        else:
            set_literal(False)
            lines.append(".PP")
    set_literal(False)
    lines += [".SH SEE ALSO", ".BR cloakroom\\-server (8)"]
    # One paragraph mark for several empty lines, none before a heading.
    text = re.sub(r"(\.PP\n)+", ".PP\n", "\n".join(lines) + "\n")
    return re.sub(r"\.PP\n(?=\.SH)|(?<=\n)(\.SH [^\n]*\n)\.PP\n", r"\1", text)


def completion(source, defaults_path):
    """Completes options, directives after two dashes, and configuration files. For anything else, such as a
    directive's value, readline completes file names."""
    first, *rest = help_lines(source)
    options = [word for title, entries in sections(rest) if title == "Options"
               for entry, _ in entries for word in entry.split(", ")]
    defaults = Path(defaults_path).read_text(encoding="utf-8").splitlines()
    # "# name" stands for a directive that no line can set to its default.
    directives = sorted({found[1] for line in defaults if (found := re.match(r"(?:# )?([a-z]\S*)(?: |$)", line))})
    words = " ".join(options + [f"--{name}" for name in directives])
    program = first.partition(":")[0]
    return f"""# bash completion for {program}

_cloakroom_server()
{{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    COMPREPLY=()
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W '{words}' -- "$word")
    elif [[ $before != --* || $before == --check-config ]]; then
        mapfile -t COMPREPLY < <(compgen -f -X '!*.conf' -- "$word"; compgen -d -- "$word")
    fi
}} &&
    complete -o default -o filenames -F _cloakroom_server {program}
"""


if __name__ == "__main__":
    KINDS = {"page": page, "conf": conf, "completion": completion}
    sys.stdout.write(KINDS[sys.argv[1]](*sys.argv[2:]))
