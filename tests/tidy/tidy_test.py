#!/usr/bin/env python3
"""Each rule of tools/tidy turns red on a small tree that breaks it, and only that rule."""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TIDY = os.path.join(HERE, "../../tools/tidy/tidy.py")

TABLE = """# Architecture
| module | may include | third party | what |
|---|---|---|---|
| `include/stepwell` | – | – | the public face |
| `base` | – | nlohmann/json | words |
| `base/sync` | `base` | – | locks |
| `engine/step` | `base` | – | the heart |
| `engine/loop` | `base` | libuv | the loop |
| `server` | `base`, `engine/loop`, `include/stepwell` | libssl | HTTP |
"""
GOOD = {
    "docs/ARCHITECTURE.md": TABLE,
    "base/value.h": "#pragma once\n#include <string>\nstruct Value {};\n",
    "base/sync/mutex.h": "#pragma once\n#include <mutex>\nstruct Mutex {};\n",
    "base/value.cc": '#include "base/value.h"\n\n#include <nlohmann/json.hpp>\nint f();\n',
    "engine/step/step.cc": '#include "base/value.h"\n// system_clock::now() in words is no clock.\n'
                           'const char* text = "std::thread getenv(";\n',
    "engine/loop/loop.h": "#pragma once\nstruct Loop {};\n",
    "engine/loop/loop.cc": '#include "engine/loop/loop.h"\n#include <uv.h>\n'
                           '#include "base/sync/mutex.h"\n#include <thread>\n',
    "server/api.cc": '#include <stepwell/engine.h>\n#include <sys/stat.h>\n\n'
                     '#include "engine/loop/loop.h"\n',
    "tests/step_test.cc": "// TODO(#12): more of this\n",
}
LONG = "void long_one(int a) {\n" + "  a = 1;\n" * 70 + "}\n"
SEVENTY = "void fits(int a) {\n" + "  a = 1;\n" * 68 + "}\n"

# what it proves, file, its text (None: leave the file out of the build), the rule, in the message
CASES = [
    ("a module may not include one to its right", "engine/step/step.cc",
     '#include "engine/loop/loop.h"\n', "include", "engine/step may not include"),
    ("base includes nothing of ours", "base/value.cc",
     '#include "engine/step/step.h"\n', "include", "it may include nothing"),
    ("includes are written from the root", "server/api.cc",
     '#include "loop.h"\n', "include", "write it from the root"),
    ("nobody but its owner includes a library", "server/api.cc",
     "#include <uv.h>\n", "library", "it belongs to engine/loop"),
    ("a library that the table does not know is refused", "server/api.cc",
     "#include <wslay/wslay.h>\n", "library", "is of no library"),
    ("a library has one owner in the table", "docs/ARCHITECTURE.md",
     TABLE.replace("libssl", "libssl, libuv"), "library", "one library, one module"),
    ("a folder must be in the table", "surprise/new.cc",
     "int x;\n", "module", "belongs to no row"),
    ("modules do not include each other", "docs/ARCHITECTURE.md",
     TABLE.replace("| `base` | –", "| `base` | `server`"), "arrows",
     "base -> server -> base"),
    ("nor by a way over a third", "docs/ARCHITECTURE.md",
     TABLE.replace("| `base` | –", "| `base` | `include/stepwell`")
     .replace("`include/stepwell` | –", "`include/stepwell` | `engine/step`"), "arrows",
     "base -> include/stepwell -> engine/step -> base"),
    ("no room is more than a quarter of the house", "engine/step/step.cc", "int x;\n" * 2_500,
     "room", "lines, more than 25%"),
    ("the table must be there", "docs/ARCHITECTURE.md", "# nothing\n", "table", "no row"),
    ("no clock in the pure zone", "engine/step/step.cc",
     "auto t = std::chrono::system_clock::now();\n", "pure-zone", "clock"),
    ("no thread in the pure zone", "engine/step/step.cc",
     "std::thread t;\n", "pure-zone", "thread"),
    ("no lock that Clang cannot follow", "engine/loop/loop.cc",
     '#include "engine/loop/loop.h"\nstd::mutex m;\n', "lock", "std::mutex: take Mutex"),
    ("no lock in the pure zone", "engine/step/step.cc",
     '#include "base/sync/mutex.h"\n', "pure-zone", "has no threads"),
    ("no file in the pure zone", "base/value.cc",
     'auto f = fopen("x", "r");\n', "pure-zone", "file"),
    ("no socket in the pure zone", "base/value.cc",
     "int s = ::socket(1, 2, 3);\n", "pure-zone", "socket"),
    ("no environment in the pure zone", "base/value.cc",
     'auto e = std::getenv("HOME");\n', "pure-zone", "environment"),
    ("no logging in the pure zone", "base/value.cc",
     'void g() { std::cerr << "x"; }\n', "pure-zone", "logging"),
    ("no dice in the pure zone", "base/value.cc",
     "int r = rand();\n", "pure-zone", "randomness"),
    ("no header of the impure world in the pure zone", "base/value.cc",
     "#include <fstream>\n", "pure-zone", "impure"),
    ("no order taken from a hash in the pure zone", "base/value.cc",
     "std::unordered_map<int, int> seen;\nvoid g() {\n  for (auto& [a, b] : seen) {\n  }\n}\n",
     "pure-zone", "unordered seen"),
    ("a file that no target builds is found", "tests/forgotten_test.cc", None,
     "not-built", "no target builds"),
    ("a file has at most 800 lines", "base/value.cc", "int a;\n" * 801,
     "file-length", "801 lines"),
    ("a line has at most 100 columns", "base/value.cc", "// " + "x" * 98 + "\n",
     "line-length", "101 columns"),
    ("a function has at most 70 lines", "base/value.cc", LONG, "function-length", "long_one: 72"),
    ("names say what a thing is", "base/value.cc", "class LaneManager {};\n", "name", "Manager"),
    ("folders are named for what is in them", "base/utils/x.cc", "int x;\n", "name", "utils/"),
    ("no test sleeps", "tests/step_test.cc",
     "void g() { std::this_thread::sleep_for(1s); }\n", "sleep", "wait for the event"),
    ("a TODO has an issue", "base/value.cc", "// TODO: later\n", "todo", "write TODO(#123)"),
    ("a header guards itself", "base/value.h", "struct Value {};\n", "header", "#pragma once"),
]


def run_tidy(files, left_out=()):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as out:
                out.write(text)
        commands = os.path.join(root, "compile_commands.json")
        with open(commands, "w", encoding="utf-8") as out:
            json.dump([{"directory": root, "file": p} for p in files
                       if p.endswith(".cc") and p not in left_out], out)
        command = [sys.executable, TIDY, "--root", root, "--compile-commands", commands]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout


def main():
    failed = 0

    def verdict(good, title, output):
        nonlocal failed
        failed += 0 if good else 1
        print(f"{'ok' if good else 'not ok'} - tidy: {title}" + ("" if good else "\n" + output))

    code, output = run_tidy(GOOD)
    verdict(code == 0, "a good tree is clean", output)
    code, output = run_tidy({**GOOD, "base/value.cc": SEVENTY})
    verdict(code == 0, "a function of exactly 70 lines is fine", output)
    for title, path, text, rule, message in CASES:
        files = {**GOOD, path: "int x;\n" if text is None else text}
        code, output = run_tidy(files, left_out=[path] if text is None else [])
        lines = output.splitlines()
        named = [li for li in lines if re.search(rf":\d+: {rule}: ", li) and message in li]
        verdict(code == 1 and len(named) >= 1, title, output)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
