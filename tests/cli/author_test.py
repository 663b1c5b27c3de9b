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


def substitutions(folder):
    """${Name} of templates: a mistake of its own without a value, and gone with one."""
    write(folder, "call.json", '{"StartAt":"A","TimeoutSeconds":"${Limit}","States":{"A":{'
                               '"Type":"Task","Resource":"${FnArn}","Comment":"${Name} stays",'
                               '"End":true}}}')
    write(folder, "call.yaml", "StartAt: A\nTimeoutSeconds: ${Limit}\nStates:\n"
                               "  A: {Type: Task, Resource: '${FnArn}', End: true}\n")
    write(folder, "values.yaml", "FnArn: arn:aws:lambda:eu-west-1:1:function:g\nLimit: 60\n")
    function = "FnArn=arn:aws:lambda:eu-west-1:1:function:f"
    done = run(folder, "lint", "-o", "json", "call.json")
    codes = [one["code"] for one in json.loads(done.stdout)]
    verdict(done.returncode == 1 and codes == ["unset-substitution"] * 2,
            "a name without a value is a mistake of its own", done.stdout)
    expect(folder, "a value may be a number", ["lint", "call.yaml", "--set", function, "--set",
                                               "Limit=60"], 0, "")
    expect(folder, "values may stand in a file", ["lint", "call.yaml", "--set-file", "values.yaml"],
           0, "")
    expect(folder, "a name that nothing holds is told", ["lint", "call.yaml", "--set-file",
                                                         "values.yaml", "--set", "Fn=a"], 1, "",
           "nothing holds ${Fn}")
    expect(folder, "a value has no quotes", ["lint", "call.yaml", "--set", 'FnArn="a"'], 2, "",
           "the value of FnArn has a quote")
    expect(folder, "a value has a name", ["lint", "call.yaml", "--set", "FnArn"], 2, "",
           "is not NAME=VALUE")
    done = run(folder, "try", "A", "-f", "call.yaml", "--set-file", "values.yaml", "--mock", "1",
               "-o", "json")
    verdict(done.returncode == 0 and json.loads(done.stdout)["output"] == "1",
            "try takes them", done.stdout + done.stderr)
    write(folder, "call.test.yaml", "workflow: call.yaml\ntasks: {A: 1}\noutput: 1\n")
    expect(folder, "test takes them", ["test", "call.test.yaml", "--set-file", "values.yaml"], 0)
    expect(folder, "graph takes them", ["graph", "call.yaml", "--set-file", "values.yaml"], 0)


def updates(folder):
    """--update writes down what happens, and says when that is a failure nobody named."""
    write(folder, "fails.test.yaml", "definition:\n  StartAt: A\n  States:\n"
                                     "    A: {Type: Pass, Parameters: {x.$: $.no}, End: true}\n"
                                     "transcript: x\n")
    done = expect(folder, "a failure that is written down is told",
                  ["test", "--update", "fails.test.yaml"], 0, err="FAILED with States.Runtime")
    verdict("FAILED" in done.stdout, "also beside its name", done.stdout)
    write(folder, "status.test.yaml", "definition:\n  StartAt: A\n  States:\n"
                                      "    A: {Type: Pass, Parameters: {x.$: $.no}, End: true}\n"
                                      "status: FAILED\ntranscript: x\n")
    done = run(folder, "test", "--update", "status.test.yaml")
    verdict(done.returncode == 0 and "FAILED" not in done.stdout,
            "unless the test expects it", done.stdout + done.stderr)
    write(folder, "place.test.yaml", "definition:\n  StartAt: A\n  States:\n"
                                     "    A: {Type: Pass, Parameters: {x.$: $.no}, End: true}\n"
                                     "status: SUCCEEDED\n")
    expect(folder, "a place in a workflow inside is one of the test file",
           ["test", "place.test.yaml"], 1)
    done = run(folder, "test", "place.test.yaml")
    verdict("place.test.yaml:4:" in done.stdout and "    A: {Type: Pass" in done.stdout,
            "with its line", done.stdout)


def passwords(folder):
    """The password of a database URL is in no message."""
    for url in ("postgres://me:sec%zzret@127.0.0.1:1/x", "postgres://me:sec/ret@127.0.0.1:1/x",
                "postgres://me:sec@ret@127.0.0.1:1/x", "mysql://me:secret@127.0.0.1/x",
                "host=127.0.0.1 port=1 password=secret"):
        done = run(folder, "migrate", "--database", url)
        said = done.stdout + done.stderr
        verdict(done.returncode != 0 and "sec" not in said and "zzret" not in said
                and '"ret' not in said, f"no password of {url}", said)


def main():
    with tempfile.TemporaryDirectory() as folder:
        fmt(folder)
        graph(folder)
        schema(folder)
        convert(folder)
        complaints(folder)
        substitutions(folder)
        updates(folder)
        passwords(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
