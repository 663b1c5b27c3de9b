#!/usr/bin/env python3
"""`stepwell try` and `stepwell test`: what authors see of one state, and of what their tests reach.

  tests_test.py STEPWELL
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

STEPWELL = os.path.abspath(sys.argv[1])
LIMIT_SECONDS = 60

WORKFLOW = """StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: bank.charge
    Parameters: {sum.$: $.amount}
    ResultPath: $.paid
    Retry: [{ErrorEquals: [Bank.Busy], MaxAttempts: 1}]
    Catch:
      - ErrorEquals: [States.ALL]
        Next: Sorry
    Next: Done
  Done: {Type: Succeed}
  Sorry: {Type: Fail, Error: Sorry}
"""
TEST = """workflow: order.yaml
input: {amount: 7}
tasks: {bank.charge: {receipt: r-1}}
output: {amount: 7, paid: {receipt: r-1}}
"""

failures = 0


def verdict(good, title, why):
    global failures
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} - {title}", flush=True)
    if not good:
        print(why, flush=True)


def run(*words):
    done = subprocess.run([STEPWELL, *words], capture_output=True, text=True, timeout=LIMIT_SECONDS)
    return done.returncode, done.stdout, done.stderr


def check(title, words, exit_code, out=None, says=""):
    got, stdout, stderr = run(*words)
    good = got == exit_code and (out is None or stdout == out) and says in stderr + stdout
    verdict(good, title, f"exit {got}, wanted {exit_code}\n{stdout}\n--- stderr\n{stderr}")


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def try_states():
    charge = ["try", "Charge", "-f", "order.yaml", "--input", '{"amount": 7}']
    check("try shows every value", [*charge, "--mock", '{"receipt": "r-1"}'], 0, """\
input                {"amount":7}
afterInputPath       {"amount":7}
afterParameters      {"sum":7}
result               {"receipt":"r-1"}
afterResultSelector  {"receipt":"r-1"}
afterResultPath      {"amount":7,"paid":{"receipt":"r-1"}}
output               {"amount":7,"paid":{"receipt":"r-1"}}
next state           Done
status               SUCCEEDED
""")
    check("try says who retries", [*charge, "--error", "Bank.Busy", "--cause", "later"], 1, """\
input            {"amount":7}
afterInputPath   {"amount":7}
afterParameters  {"sum":7}
error            Bank.Busy
cause            later
retried by       Retry[0] in 1 s
status           RETRIABLE
""")
    code, out, _ = run(*charge, "--error", "Bank.Busy", "--retries", "1", "-o", "json")
    answer = json.loads(out)
    verdict(code == 0 and answer["status"] == "CAUGHT_ERROR" and answer["nextState"] == "Sorry"
            and answer["inspectionData"]["errorDetails"] == {"catchIndex": 0},
            "try -o json is the answer of TestState", out)
    check("try asks for a mock", charge, 2, "", "--mock JSON says what it comes to")
    check("try names what is there", ["try", "Chrage", "-f", "order.yaml"], 2, "",
          "State 'Chrage' does not exist in the definition")
    code, _, err = run("try", "Charge", "-f", "order.yaml", "--input", "{bad")
    verdict(code == 2 and err == """\
error: --input cannot be read as JSON
--input:1:1: error: this { is not closed [yaml-syntax]
   1 | {bad
     | ^
  hint: a } is missing

""", "try says what is wrong with the input", err)
    check("try without a file", ["try", "Charge", "-f", "no.yaml"], 4, "", "cannot read no.yaml")


def coverage():
    check("coverage, for people", ["test", "--coverage", "."], 0, """\
ok    order.test.yaml
order.yaml: 2 of 3 states, 1 of 1 transition, 0 of 1 retrier, 0 of 1 catcher
  order.yaml:8:13: no test reaches the retrier Charge, Retry of Bank.Busy
  order.yaml:10:9: no test reaches the catcher Charge -> Sorry, Catch of States.ALL
  order.yaml:14:3: no test reaches the state Sorry
""", "1 passed, 0 failed")
    code, out, _ = run("test", "--coverage", "-o", "json", ".")
    told = json.loads(out.splitlines()[-1])
    verdict(code == 0 and told["workflow"] == "order.yaml"
            and told["coverage"]["states"] == {"total": 3, "reached": 2}
            and [one["line"] for one in told["unreached"]] == [8, 10, 14],
            "coverage, for programs", out)
    check("coverage that suffices", ["test", "--min-coverage", "50", "."], 0,
          "ok    order.test.yaml\n", "1 passed, 0 failed")
    code, out, err = run("test", "--min-coverage", "51", ".")
    verdict(code == 1 and "no test reaches the state Sorry" in out
            and "the tests reach 50.0 % of the workflows, less than 51 %" in err,
            "too little coverage fails", out + err)


def watching():
    watcher = subprocess.Popen([STEPWELL, "test", "--watch", "."], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        first = [watcher.stdout.readline() for _ in range(3)]
        write("order.yaml", WORKFLOW.replace("$.paid", "$.bill"))
        second = [watcher.stdout.readline()]
        while not second[-1].startswith("watching") and second[-1]:
            second.append(watcher.stdout.readline())
        watcher.send_signal(signal.SIGINT)
        code = watcher.wait(timeout=LIMIT_SECONDS)
    finally:
        watcher.kill()
    verdict(first[0].startswith("ok") and second[0].startswith("FAIL") and code == 1,
            "--watch runs again when a workflow changes, and ends with the newest verdict",
            f"{first}\n{second}\nexit {code}")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    write("order.yaml", WORKFLOW)
    write("order.test.yaml", TEST)
    try_states()
    coverage()
    watching()
    os.chdir("/")
print("all is well" if failures == 0 else f"{failures} failed")
sys.exit(1 if failures else 0)
