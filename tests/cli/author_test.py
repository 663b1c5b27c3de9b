#!/usr/bin/env python3
"""fmt, graph, schema and convert as authors use them: what is written where, and the exit codes.

  author_test.py STEPWELL SOURCE
"""
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile

STEPWELL, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
LIMIT_SECONDS = 60
UNTIDY = "StartAt:   A\nStates:\n    A: {Type: Succeed}   # the end\n"
TIDY = "StartAt: A\nStates:\n  A: {Type: Succeed}  # the end\n"

failures = 0


def verdict(good, title, why):
    global failures
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} - author: {title}", flush=True)
    if not good:
        print(why, flush=True)


def run(folder, *words, given=None):
    return subprocess.run([STEPWELL, *words], cwd=folder, input=given, capture_output=True,
                          text=True, timeout=LIMIT_SECONDS, check=False)


def expect(folder, title, words, exit_code, out=None, err=None, given=None):
    done = run(folder, *words, given=given)
    good = done.returncode == exit_code
    good = good and (out is None or done.stdout == out) and (err is None or err in done.stderr)
    verdict(good, title, f"$ stepwell {' '.join(words)}\nexit {done.returncode}, expected "
                         f"{exit_code}\n{done.stdout}{done.stderr}")
    return done


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def fmt(folder):
    path = write(folder, "w/a.yaml", UNTIDY)
    os.chmod(path, 0o640)
    write(folder, "w/other.json", '{"name":"not a workflow"}')
    write(folder, "w/bad.yaml", "a: [\n")
    expect(folder, "fmt --check names what is not tidy", ["fmt", "--check", "w/a.yaml"], 1,
           "w/a.yaml\n", "1 file, 1 not tidy")
    verdict(read(folder, "w/a.yaml") == UNTIDY, "... and changes nothing", "")
    expect(folder, "fmt tidies the workflows of a folder", ["fmt", "w"], 1, None, "1 refused")
    verdict(read(folder, "w/a.yaml") == TIDY, "... comments stay", read(folder, "w/a.yaml"))
    verdict(stat.S_IMODE(os.stat(path).st_mode) == 0o640, "... and permissions", "")
    verdict(read(folder, "w/other.json") == '{"name":"not a workflow"}',
            "... and what is no workflow is left alone", "")
    expect(folder, "fmt of what is tidy", ["fmt", "w/a.yaml"], 0, "", "1 file, 0 tidied")
    expect(folder, "fmt as a pipe", ["fmt", "-"], 0, TIDY, given=UNTIDY)
    expect(folder, "fmt of what is not there", ["fmt", "nowhere"], 4, None, "nowhere")


def graph(folder):
    source = os.path.join(SOURCE, "tests/golden/graph/nested.yaml")
    history = os.path.join(SOURCE, "tests/golden/graph/nested.history.jsonl")
    expect(folder, "graph writes a file", ["graph", source, "-o", "g.svg"], 0, "")
    verdict(read(folder, "g.svg").startswith("<svg "), "... an SVG", "")
    expect(folder, "graph of a history", ["graph", source, "--history", history, "--format",
                                          "mermaid"], 0,
           read(SOURCE, "tests/golden/graph/nested.history.mmd"))
    expect(folder, "graph of what is not a history", ["graph", source, "--history", source], 2, "",
           "is not a history")
    expect(folder, "graph of a workflow with errors", ["graph", write(folder, "x.yaml", "a: 1")],
           1, None, "only a workflow without errors")
    expect(folder, "graph into a folder that is not there",
           ["graph", source, "-o", "no/such/x.svg"], 3, "", "cannot write no/such/x.svg")


def schema(folder):
    done = expect(folder, "schema writes JSON", ["schema"], 0)
    verdict(json.loads(done.stdout)["title"] == "A Stepwell workflow", "... the schema", "")


def convert(folder):
    shutil.copy(os.path.join(SOURCE, "tests/golden/convert/stuck.yaml"), folder)
    expect(folder, "convert says what is left, and why", ["convert", "stuck.yaml", "--to",
                                                          "jsonata", "-o", "out.yaml"], 1, "",
           "stuck.yaml:15:5: Text: ResultPath: ")
    expect(folder, "... what it writes is good", ["lint", "out.yaml"], 0)
    expect(folder, "convert one state", ["convert", "stuck.yaml", "--to", "jsonata", "--state",
                                         "First"], 0, None, "1 state converted\n")
    expect(folder, "convert an unknown state", ["convert", "stuck.yaml", "--to", "jsonata",
                                                "--state", "Frist"], 4, "", "no state \"Frist\"")
    done = expect(folder, "convert to JSON", ["convert", "stuck.yaml"], 0)
    verdict(json.loads(done.stdout)["Comment"].startswith("What has no"), "... with its comment",
            done.stdout)
    expect(folder, "convert to something else", ["convert", "stuck.yaml", "--to", "xml"], 2)
    expect(folder, "--state without --to jsonata", ["convert", "stuck.yaml", "--state", "X"], 2,
           "", "belong to --to jsonata")


def complaints(folder):
    """What is wrong with a file is said beside the result, which may go to another file."""
    write(folder, "broken.yaml", "StartAt: A\nStates: [\n")
    for words in (["convert", "broken.yaml"], ["convert", "broken.yaml", "--to", "jsonata"],
                  ["graph", "broken.yaml"], ["fmt", "broken.yaml"], ["fmt", "-"],
                  ["try", "A", "-f", "broken.yaml", "--input", "{}"]):
        given = "StartAt: A\nStates: [\n" if words[-1] == "-" else None
        done = run(folder, *words, given=given)
        verdict(done.returncode == 1 and done.stdout == "" and "is not closed" in done.stderr,
                f"{' '.join(words)}: the complaint goes to standard error",
                f"exit {done.returncode}\n{done.stdout}--\n{done.stderr}")
    done = run(folder, "lint", "broken.yaml")
    verdict(done.returncode == 1 and "is not closed" in done.stdout,
            "of lint it is the result", done.stdout + done.stderr)
    write(folder, "list.json", '{"StartAt":"A","States":{"A":{"Type":"Pass","Result":'
                               '["--conf","a=1,b=2","Doe, Jane","${x}"],"End":true}}}')
    there = run(folder, "convert", "list.json", "--to", "yaml")
    write(folder, "list.yaml", there.stdout)
    back = run(folder, "convert", "list.yaml", "--to", "json")
    verdict(json.loads(back.stdout) == json.loads(read(folder, "list.json")),
            "a list with commas there and back is the same", there.stdout + back.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        fmt(folder)
        graph(folder)
        schema(folder)
        convert(folder)
        complaints(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
