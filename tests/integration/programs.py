"""Runs client programs against a server."""

import subprocess

TIMEOUT_S = 120


def run(command, *, stdin=None, timeout_s=TIMEOUT_S, environment=None, code=0):
    """Runs a program to its end; its exit code must be the expected one. Output is bytes."""
    done = subprocess.run([str(part) for part in command], input=stdin, capture_output=True,
                          timeout=timeout_s, env=environment, check=False)
    assert done.returncode == code, (
        f"{command} ended with {done.returncode}\n{done.stdout[-3000:].decode(errors='replace')}\n"
        f"{done.stderr[-3000:].decode(errors='replace')}")
    return done


def together(commands, timeout_s=TIMEOUT_S, environment=None):
    """Runs the programs at the same time; returns the standard output of each. All must exit with 0."""
    running = [subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=environment) for command in commands]
    outputs = []
    try:
        for process, command in zip(running, commands):
            out, err = process.communicate(timeout=timeout_s)
            assert process.returncode == 0, (
                f"{command} ended with {process.returncode}\n{out[-2000:].decode(errors='replace')}"
                f"\n{err[-2000:].decode(errors='replace')}")
            outputs.append(out)
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
    return outputs
