#!/usr/bin/env python3
"""The rules of the house, executed: borders between modules, the pure zone, sizes, names.

  tidy.py [--root DIR] [--compile-commands FILE]
  tidy.py --rooms       prints how many lines each room has

Who may include whom is read from the table "Modules" of docs/ARCHITECTURE.md, so that the page
cannot lie.  Each finding is one line: path:line: rule: what, and how to mend it.  Exit 1 if any.
A room is a folder at the root of the tree that holds a part of the product.
"""
import argparse
import json
import os
import re
import sys

from source import Source, functions

MAX_FILE_LINES = 800      # One sitting's reading.
MAX_COLUMNS = 100
MAX_FUNCTION_LINES = 70   # A screen.
MAX_ROOM_SHARE = 0.25     # Of the product's lines: a larger room is two rooms.
MIN_LINES_FOR_ROOMS = 2_000  # Below that the first room is the house.

PURE = ("base", "language", "engine/step", "dsl", "authoring")
# Beside the pure words of base, and for everybody but the pure zone: locks.
LOCKS = "base/sync"
# Folders whose code may include every module: they look at us from outside.
OUTSIDE = ("tests", "bench", "tools", "examples")
NOT_ROOMS = OUTSIDE + ("cmake", "docs")
SKIPPED_FOLDERS = {".git", "build", ".stepwell", "__pycache__", "testdata"}

# Which header belongs to which library.
LIBRARIES = [
    (r"nlohmann/", "nlohmann/json"), (r"yaml-cpp/", "yaml-cpp"), (r"pqxx/", "libpqxx"),
    (r"libpq", "libpqxx"), (r"uv\.h$", "libuv"), (r"uv/", "libuv"), (r"curl/", "libcurl"),
    (r"(lua|lauxlib|lualib|luaconf)(\.h|\.hpp|5\.4/|$)", "Lua"), (r"lua5\.4/", "Lua"),
    (r"sodium", "libsodium"), (r"boost/", "Boost"), (r"CLI/", "CLI11"),
    (r"openssl/(ssl|err)\.h$", "libssl"), (r"openssl/", "libcrypto"), (r"zlib\.h$", "zlib"),
    (r"pcre2\.h$", "PCRE2"),
    (r"fmt/", "fmt"), (r"gtest/|gmock/", "GoogleTest"),
]
# The operating system's and the C library's own headers.
SYSTEM = re.compile(r"(sys|netinet|arpa|linux|net|asm)/[\w.]+$|(unistd|fcntl|poll|signal|pthread|"
                    r"netdb|pwd|grp|time|stdlib|string|spawn|dirent|termios|sched|errno|ftw|glob|"
                    r"limits|syslog|dlfcn|execinfo|fnmatch|getopt)\.h$|cxxabi\.h$")
STANDARD = re.compile(r"[a-z_0-9]+$")

BANNED_IN_PURE = [
    (r"#\s*include\s*<(thread|mutex|shared_mutex|condition_variable|future|fstream|iostream|"
     r"filesystem|ctime|csignal|random)>", "header of the impure world"),
    (r"#\s*include\s*<(unistd|fcntl|poll|signal|pthread|time|netdb|sys/\w+|netinet/\w+)\.h>",
     "header of the operating system"),
    (r"\b(system_clock|steady_clock|high_resolution_clock)\s*::\s*now|\b(clock_gettime|"
     r"gettimeofday|localtime|localtime_r|mktime)\s*\(|\bstd::time\s*\(", "clock"),
    (r"\bstd::(thread|jthread|async|mutex)\b|\bpthread_\w+", "thread"),
    (r"\b(fopen|freopen|ifstream|ofstream|fstream)\b", "file"),
    (r"(?<![\w>])::(socket|connect|recv|send|open|read|write)\s*\(", "socket or file"),
    (r"\b(getenv|setenv|secure_getenv)\s*\(", "environment"),
    (r"\b(std::cout|std::cerr|std::clog|syslog\s*\(|f?printf\s*\(|puts\s*\()",
     "logging"),
    (r"(?<!Random )\b(rand|srand|random|drand48)\s*\(|\brandom_device\b|\bmt19937", "randomness"),
]
# Clang cannot follow these; base/sync has those that it can.
UNFOLLOWED_LOCKS = re.compile(r"\bstd::(recursive_|timed_|shared_)?mutex\b|"
                              r"\bstd::condition_variable|"
                              r"\bstd::(lock_guard|scoped_lock|unique_lock|shared_lock)\b")
BANNED_WORDS = ("Manager", "Helper", "Util", "Utils", "Common", "Impl", "Processor")
BANNED_WHOLE = ("Base", "Data", "Info")  # As the last word of a type's name.
BANNED_FOLDERS = {"util", "utils", "common", "helpers", "misc"}
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(|(?<![\w.])sleep\s*\(|"
                   r"\btime\.sleep\b|^\s*sleep\s+[\d.$]")


class Tidy:
    def __init__(self, root):
        self.root, self.findings, self.table, self.rooms = root, [], [], {}

    def say(self, path, line, rule, text):
        self.findings.append((path, line, f"{path}:{line}: {rule}: {text}"))

    # --- the table ---------------------------------------------------------------------------
    def read_table(self):
        path = "docs/ARCHITECTURE.md"
        full = os.path.join(self.root, path)
        if not os.path.exists(full):
            self.say(path, 1, "table", "the page with the module table is missing")
            return
        for line in open(full, encoding="utf-8"):
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if not line.startswith("| `") or len(cells) != 4:
                continue
            allowed = re.findall(r"`([^`]+)`", cells[1])
            libraries = [] if cells[2] in ("–", "-", "") else [
                part.strip() for part in cells[2].split(",")]
            for module in re.findall(r"`([^`]+)`", cells[0]):
                self.table.append((module, allowed, libraries))
        self.table.sort(key=lambda row: -len(row[0]))
        if not self.table:
            self.say(path, 1, "table", "no row of the module table could be read")

    def module_of(self, path):
        for row in self.table:
            if path == row[0] or path.startswith(row[0] + "/"):
                return row
        return None

    # --- one file ----------------------------------------------------------------------------
    def check_text(self, path, text):
        lines = text.split("\n")
        if len(lines) > MAX_FILE_LINES + 1:
            self.say(path, 1, "file-length", f"{len(lines) - 1} lines, at most {MAX_FILE_LINES}: "
                     "split it by responsibility")
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS and "http" not in line:
                self.say(path, number, "line-length", f"{len(line)} columns, at most {MAX_COLUMNS}")
            found = re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line)
            if found and not path.startswith(("tools/tidy/", "tests/tidy/")):
                self.say(path, number, "todo", f"{found[1]} without an issue: write TODO(#123)")
            # The chaos run paces its faults by the clock: that is what it is for.
            in_test = path.startswith("tests/") and not path.startswith(
                ("tests/tidy/", "tests/e2e/chaos/"))
            if in_test and SLEEP.search(line):
                self.say(path, number, "sleep", "no test sleeps: wait for the event itself")

    def check_source(self, path, source):
        for number, name in source.types():
            words = re.findall(r"[A-Z][a-z0-9]*", name)
            bad = [w for w in words if w in BANNED_WORDS]
            if words and words[-1] in BANNED_WHOLE:
                bad.append(words[-1])
            if bad:
                self.say(path, number, "name", f"{name}: \"{bad[0]}\" says nothing; say what it is")
        for function in functions(source):
            if function.length > MAX_FUNCTION_LINES:
                self.say(path, function.line, "function-length", f"{function.name}: "
                         f"{function.length} lines, at most {MAX_FUNCTION_LINES}")
        if path.startswith(tuple(p + "/" for p in PURE)) and not path.startswith(LOCKS + "/"):
            self.check_pure(path, source)
        elif not path.startswith(LOCKS + "/"):
            self.check_locks(path, source)
        if not path.startswith(tuple(p + "/" for p in OUTSIDE)):
            self.check_includes(path, source)
        if path.endswith(".h") and "#pragma once" not in source.text:
            self.say(path, 1, "header", "#pragma once is missing")

    def check_locks(self, path, source):
        for number, line in enumerate(source.code_lines, 1):
            found = UNFOLLOWED_LOCKS.search(line)
            if found:
                self.say(path, number, "lock", f"{found[0]}: take Mutex, MutexLock and CondVar of "
                         "base/sync/mutex.h, which Clang's analysis follows")

    def check_pure(self, path, source):
        for number, _, target in source.includes():
            if target.startswith(LOCKS + "/"):
                self.say(path, number, "pure-zone", f"{target}: the pure zone has no threads")
        for number, line in enumerate(source.code_lines, 1):
            for pattern, what in BANNED_IN_PURE:
                if re.search(pattern, line):
                    self.say(path, number, "pure-zone", f"{what}: {line.strip()} (time, randomness "
                             "and the world are inputs here)")
        unordered = set(re.findall(r"unordered_(?:map|set)<[^;=(){}]*>\s+(\w+)\s*[;={]",
                                   source.code))
        for number, line in enumerate(source.code_lines, 1):
            found = re.search(r"for\s*\(.*:\s*(?:\w+(?:\.|->))*(\w+)\s*\)", line)
            if found and found[1] in unordered:
                self.say(path, number, "pure-zone", f"iterates over the unordered {found[1]}: its "
                         "order differs between machines")

    def check_includes(self, path, source):
        row = self.module_of(path)
        if row is None:
            if self.table:
                self.say(path, 1, "module", "belongs to no row of the table in ARCHITECTURE.md")
            return
        module, allowed, libraries = row
        for number, form, target in source.includes():
            if form == "<" and not target.startswith("stepwell/"):
                self.check_library(path, number, target, module, libraries)
                continue
            if form == "<" and target.startswith("stepwell/"):
                target = "include/" + target
            elif not os.path.exists(os.path.join(self.root, target)) and "/" not in target:
                self.say(path, number, "include", f"\"{target}\": write it from the root of the "
                         "repository")
                continue
            other = self.module_of(target)
            if other is None or other[0] == module:
                continue
            if not any(target == a or target.startswith(a + "/") for a in allowed):
                self.say(path, number, "include", f"{module} may not include {target}; it may "
                         f"include {', '.join(allowed) or 'nothing'}")

    def check_library(self, path, number, target, module, libraries):
        if STANDARD.fullmatch(target) or SYSTEM.fullmatch(target):
            return
        name = next((lib for pattern, lib in LIBRARIES if re.match(pattern, target)), None)
        if name is None:
            self.say(path, number, "library", f"<{target}> is of no library that the house knows")
        elif name not in libraries:
            owner = next((m for m, _, libs in self.table if name in libs), "no module")
            self.say(path, number, "library", f"{module} may not include {name}: it belongs to "
                     f"{owner}")

    def check_owners(self):
        owners = {}
        for module, _, libraries in self.table:
            for library in libraries:
                owners.setdefault(library, []).append(module)
        for library, modules in owners.items():
            if len(modules) > 1 and library != "fmt":
                self.say("docs/ARCHITECTURE.md", 1, "library", f"{library} is owned by "
                         f"{' and '.join(sorted(modules))}: one library, one module")

    def check_arrows(self):
        """The table allows no way from a module back to itself."""
        names = [module for module, _, _ in self.table]
        below = {}
        for module, allowed, _ in self.table:
            reached = set()
            for entry in allowed:
                inside = [n for n in names if n == entry or n.startswith(entry + "/")]
                owner = self.module_of(entry)
                reached.update(inside or ([owner[0]] if owner else []))
            below[module] = reached - {module}
        done, path = set(), []

        def visit(module):
            if module in path:
                circle = path[path.index(module):] + [module]
                self.say("docs/ARCHITECTURE.md", 1, "arrows", f"{' -> '.join(circle)}: modules "
                         "that include each other cannot be read, built or tested one by one")
                return
            if module in done:
                return
            path.append(module)
            for other in sorted(below[module]):
                visit(other)
            path.pop()
            done.add(module)

        for module in sorted(below):
            visit(module)

    def count_lines(self, path, lines):
        room = path.split("/")[0]
        if "/" in path and room not in NOT_ROOMS and path.endswith((".h", ".cc", ".sql", ".lua")):
            self.rooms[room] = self.rooms.get(room, 0) + lines

    def check_rooms(self):
        total = sum(self.rooms.values())
        for room, lines in self.rooms.items():
            if total >= MIN_LINES_FOR_ROOMS and lines > MAX_ROOM_SHARE * total:
                self.say(room, 1, "room", f"{lines} of {total} lines, more than "
                         f"{MAX_ROOM_SHARE:.0%}: move what is a subject of its own")

    # --- all files ---------------------------------------------------------------------------
    def files(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
            for name in sorted(names):
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def check_built(self, sources, compile_commands):
        built = set()
        for entry in json.load(open(compile_commands, encoding="utf-8")):
            file = os.path.join(entry["directory"], entry["file"])
            built.add(os.path.relpath(os.path.realpath(file), os.path.realpath(self.root)))
        for path in sources:
            # A stranger's project: tests/package builds it.
            if path not in built and not path.startswith("examples/"):
                self.say(path, 1, "not-built", "no target builds this file: list it, or delete it")

    def run(self, compile_commands):
        self.read_table()
        self.check_owners()
        self.check_arrows()
        sources = []
        for path in self.files():
            bad = BANNED_FOLDERS.intersection(path.split("/")[:-1])
            if bad:
                self.say(path, 1, "name", f"folder {bad.pop()}/: name it for what is in it")
            if not path.endswith((".h", ".cc", ".py", ".sh", ".lua", ".sql", ".cmake")):
                continue
            text = open(os.path.join(self.root, path), encoding="utf-8", errors="replace").read()
            self.check_text(path, text)
            self.count_lines(path, text.count("\n"))
            if path.endswith((".h", ".cc")):
                self.check_source(path, Source(text))
            if path.endswith(".cc"):
                sources.append(path)
        self.check_rooms()
        if compile_commands:
            self.check_built(sources, compile_commands)
        return sorted(set(self.findings)), len(sources)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "../.."))
    arguments.add_argument("--compile-commands")
    arguments.add_argument("--rooms", action="store_true")
    options = arguments.parse_args()
    tidy = Tidy(os.path.abspath(options.root))
    findings, count = tidy.run(options.compile_commands)
    if options.rooms:
        total = sum(tidy.rooms.values())
        for room, lines in sorted(tidy.rooms.items(), key=lambda one: -one[1]):
            print(f"{lines:7,}  {lines / total:5.1%}  {room}")
        print(f"{total:7,}         in all")
        return 0
    for _, _, text in findings:
        print(text)
    if not findings:
        print(f"ok - tidy: borders, pure zone, sizes and names hold in {count} sources")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
