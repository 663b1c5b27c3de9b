#!/usr/bin/env python3
"""The pages do not lie: every workflow in them compiles, every console block prints what it
says, every link leads somewhere, every command of the binary is documented.

  docs_test.py SOURCE STEPWELL

In expected output a line "…" stands for any lines, and "…" in a line for any text.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile

SOURCE, STEPWELL = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
LIMIT_SECONDS = 120
# What needs a build of its own, and the test that runs the same thing instead.
ELSEWHERE = {"./dev demo": "demo_test", "./dev test": "this run"}

failures = 0


def verdict(good, title, why=""):
    global failures
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} - docs: {title}", flush=True)
    if not good:
        print(why, flush=True)


def pages():
    for folder, folders, names in os.walk(SOURCE):
        folders[:] = [f for f in folders if f not in (".git", "build", ".stepwell")]
        for name in sorted(names):
            if name.endswith(".md"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as page:
                    yield os.path.relpath(path, SOURCE), page.read()


def blocks(text, language):
    """(line, contents) of the fenced blocks of that language."""
    for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S):
        yield text.count("\n", 0, found.start()) + 2, found[1]


def run(command, folder, **more):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=LIMIT_SECONDS, check=False, **more)


def check_links(page, text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)  # C++ has [](...) too.
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        full = os.path.join(SOURCE, os.path.dirname(page), target)
        verdict(os.path.exists(full), f"{page} links to {target}", "there is no such file")


def check_workflows(page, text):
    with tempfile.TemporaryDirectory() as folder:
        for line, block in blocks(text, "yaml"):
            if not re.search(r"^StartAt:", block, re.M):
                continue
            path = os.path.join(folder, f"line-{line}.yaml")
            with open(path, "w", encoding="utf-8") as out:
                out.write(block)
            done = run([STEPWELL, "lint", path], folder)
            verdict(done.returncode == 0, f"{page}:{line}: the workflow compiles",
                    done.stdout + done.stderr)


def matches(expected, printed):
    pattern = "".join(
        r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in expected)
    return re.fullmatch(pattern, printed) is not None


class Place:
    """A folder of its own for a page's commands, with the page's workflows in it."""

    def __init__(self, text):
        self.folder = tempfile.TemporaryDirectory()
        os.chmod(self.folder.name, 0o755)
        os.makedirs(os.path.join(self.folder.name, "workflows"))
        for _, block in blocks(text, "yaml"):
            name = re.match(r"# (workflows/[\w.]+)\n", block)
            if name:
                with open(os.path.join(self.folder.name, name[1]), "w", encoding="utf-8") as out:
                    out.write(block)
        self.env = {**os.environ, "PATH": os.path.dirname(STEPWELL) + ":" + os.environ["PATH"]}
        self.env.pop("STEPWELL_DATABASE_URL", None)
        self.servers = []

    def start_server(self, command):
        """Starts it and waits for the line that says that it is ready."""
        server = subprocess.Popen(["bash", "-c", "exec " + command], cwd=self.folder.name,
                                  env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True)
        self.servers.append(server)
        said = ""
        for line in server.stderr:
            said += line
            if "ready" in line:
                return True, said
        return False, said

    def stop(self):
        clean = True
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
            clean = server.wait(LIMIT_SECONDS) == 0 and clean
        self.folder.cleanup()
        return clean


def check_console(page, text):
    place = None
    for line, block in blocks(text, "console"):
        place = place or Place(text)
        steps = re.split(r"^\$ ", block, flags=re.M)[1:]
        for step in steps:
            command, *expected = step.rstrip("\n").split("\n")
            title = f"{page}:{line}: $ {command}"
            if command in ELSEWHERE:
                print(f"ok - docs: {title} (run by {ELSEWHERE[command]})")
            elif command.endswith("&"):
                verdict(*((lambda r: (r[0], title, r[1]))(
                    place.start_server(command[:-1].strip()))))
            else:
                done = run(["bash", "-c", command], place.folder.name, env=place.env)
                verdict(done.returncode == 0 and matches(expected, done.stdout), title,
                        f"exit {done.returncode}\n{done.stdout}{done.stderr}")
    if place:
        verdict(place.stop(), f"{page}: what was started stops cleanly on SIGTERM")


def check_cli_page():
    with open(os.path.join(SOURCE, "docs/cli.md"), encoding="utf-8") as page:
        text = page.read()
    documented = set(re.findall(r"^\| `stepwell ([a-z]+(?: [a-z]+)?)", text, re.M))
    real = set()
    for name in re.findall(r"^  ([a-z]+) ", run([STEPWELL, "--help"], SOURCE).stdout, re.M):
        below = run([STEPWELL, name, "--help"], SOURCE).stdout.split("Subcommands:")
        names = re.findall(r"^  ([a-z]+) ", below[1], re.M) if len(below) > 1 else []
        real |= {f"{name} {n}" for n in names} or {name}
    verdict(documented == real, "docs/cli.md lists exactly the commands of the binary",
            f"only documented: {documented - real}; only in the binary: {real - documented}")
    with open(os.path.join(SOURCE, "cli/command.h"), encoding="utf-8") as header:
        codes = set(re.findall(r"^  k\w+ = (\d+),", header.read(), re.M))
    listed = set(re.findall(r"^\| (\d+) \|", text, re.M))
    verdict(codes == listed, "docs/cli.md lists exactly the exit codes",
            f"in the code {sorted(codes)}, on the page {sorted(listed)}")


def check_architecture_paths():
    with open(os.path.join(SOURCE, "docs/ARCHITECTURE.md"), encoding="utf-8") as page:
        table = page.read().split("## Where do I change X?")[1]
    for path in re.findall(r"`([\w./]+/[\w./]*)`", table):
        verdict(os.path.exists(os.path.join(SOURCE, path)),
                f"docs/ARCHITECTURE.md sends one to {path}", "there is no such place")


def main():
    for page, text in pages():
        check_links(page, text)
        check_workflows(page, text)
        check_console(page, text)
    check_cli_page()
    check_architecture_paths()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
