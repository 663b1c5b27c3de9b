#!/usr/bin/env python3
"""What people do wrong at the command line, and what it tells them: where, what and how to mend.
One `stepwell dev` with a Postgres of its own serves all cases.

  mistakes_test.py STEPWELL
"""
import fcntl
import http.server
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading

STEPWELL = os.path.abspath(sys.argv[1])
LIMIT_SECONDS = 60
NOBODY = "019aa5a8-0000-7000-8000-000000000001"
# Somebody who may not what the files' owner may: root may everything.
OTHER = {"user": 65534} if os.geteuid() == 0 else {}

WORKFLOWS = {
    "echo": "StartAt: P\nStates:\n  P: {Type: Pass, End: true}\n",
    "sleeper": "StartAt: W\nStates:\n  W: {Type: Wait, Seconds: 86400, End: true}\n",
    "nobody": "StartAt: T\nStates:\n  T: {Type: Task, Resource: bank.charge, End: true}\n",
    "failing": "StartAt: F\nStates:\n  F: {Type: Fail, Error: Bank.Shut, Cause: on sundays}\n",
    "fanout": """
StartAt: Many
States:
  Many:
    Type: Map
    ItemsPath: $.items
    ItemProcessor:
      StartAt: W
      States:
        W: {Type: Wait, Seconds: 1, End: true}
    End: true
""",
}

failures = 0


def verdict(good, title, why):
    global failures
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} - command line: {title}", flush=True)
    if not good:
        print(why, flush=True)


class Folder:
    def __init__(self, workflows):
        self.temporary = tempfile.TemporaryDirectory()
        self.path = self.temporary.name
        os.chmod(self.path, 0o755)
        told = ("STEPWELL_DATABASE_URL", "STEPWELL_URL", "STEPWELL_TOKEN")
        self.env = {k: v for k, v in os.environ.items() if k not in told}
        for name, text in workflows.items():
            self.write(f"workflows/{name}.yaml", text)

    def write(self, name, text):
        full = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)

    def run(self, *words, **more):
        env = {**self.env, **more.pop("env", {})}
        return subprocess.run([STEPWELL, *words], cwd=more.pop("cwd", self.path), env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=LIMIT_SECONDS, check=False, **more)

    def expect(self, title, words, exit_code, *said, **more):
        done = self.run(*words, **more)
        missing = [s for s in said if s not in done.stderr + done.stdout]
        verdict(done.returncode == exit_code and not missing, title,
                f"$ stepwell {' '.join(words)}\nexit {done.returncode}, expected {exit_code}; "
                f"missing {missing}\n{done.stdout}{done.stderr}")
        return done

    def start_dev(self, *words):
        server = subprocess.Popen([STEPWELL, "dev", "--port", "0", *words], cwd=self.path,
                                  env=self.env, stderr=subprocess.PIPE, text=True)
        said = ""
        for line in server.stderr:
            said += line
            if line.startswith("ready"):
                return server, said
        print(said)
        raise SystemExit("not ok - command line: stepwell dev starts")


class NotStepwell(http.server.BaseHTTPRequestHandler):
    """Answers with what it is told to, and keeps what it was asked."""
    asked = []
    status, text = 200, "<html>hello</html>"

    def do_GET(self):
        NotStepwell.asked.append((self.path, self.headers.get("Authorization")))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(NotStepwell.status)
        self.send_header("Content-Length", str(len(NotStepwell.text)))
        self.end_headers()
        self.wfile.write(NotStepwell.text.encode())

    do_POST = do_GET

    def log_message(self, *_):
        pass


def another_server(folder):
    server = http.server.HTTPServer(("127.0.0.1", 0), NotStepwell)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    token = {"STEPWELL_TOKEN": "tok"}
    folder.expect("what answers is no Stepwell server", ["exec", "list", "--url", url], 7,
                  f"error: what answers at {url} is not a Stepwell server: status 200", env=token)
    verdict(NotStepwell.asked == [("/v1/executions?limit=50", "Bearer tok")],
            "the token goes to the server", NotStepwell.asked)
    NotStepwell.text = '{"status": "ok"}'
    for words in (["start", "echo"], ["list"], ["describe", NOBODY], ["history", NOBODY],
                  ["watch", NOBODY], ["stop", NOBODY], ["redrive", NOBODY]):
        folder.expect(f"... nor one whose answer to `exec {words[0]}` is something else",
                      ["exec", *words, "--url", url], 7,
                      f"error: what answers at {url} is not a Stepwell server: status 200")
    NotStepwell.status, NotStepwell.text = 401, "<html>who are you?</html>"
    folder.expect("a proxy that wants a token", ["exec", "list", "--url", url], 3,
                  f"error: what answers at {url} refuses: status 401; "
                  "STEPWELL_TOKEN would be sent as a token\n")
    folder.expect("... another token", ["exec", "list", "--url", url], 3,
                  f"error: what answers at {url} refuses: status 401; is STEPWELL_TOKEN right?\n",
                  env=token)
    NotStepwell.status = 403
    folder.expect("... or nobody", ["exec", "start", "echo", "--url", url], 3, "status 403")
    NotStepwell.status = 502
    folder.expect("a proxy without a server behind it", ["exec", "list", "--url", url], 7,
                  f"error: what answers at {url} has no server behind it now: status 502\n")
    server.shutdown()
    server.server_close()


def without_a_server(folder):
    empty = os.path.join(folder.path, "empty")
    os.makedirs(empty)
    folder.expect("no engine: says how to get one", ["exec", "list"], 7,
                  "error: no engine found: no `stepwell dev` runs here",
                  "hint: start `stepwell dev` in another terminal", cwd=empty)
    folder.expect("the database is down: says which and that it is away",
                  ["exec", "list", "--database", "postgresql://127.0.0.1:1/none"], 7,
                  "127.0.0.1", "hint: is it running, and is the URL right?")
    folder.expect("a URL that is none", ["exec", "list", "--database", "nonsense://x"], 2, "error:",
                  "nonsense")
    folder.expect("the server is away: says which, and what to do",
                  ["exec", "list", "--url", "http://127.0.0.1:1"], 7,
                  "error: cannot reach the server at http://127.0.0.1:1: ",
                  "hint: is it running, and is the URL right?")
    folder.expect("... also when the environment names it", ["exec", "list"], 7,
                  "cannot reach the server at http://127.0.0.1:1",
                  env={"STEPWELL_URL": "http://127.0.0.1:1/"})
    folder.expect("a URL that is no server's", ["exec", "list", "--url", "127.0.0.1:7233"], 2,
                  'error: "127.0.0.1:7233" is not the URL of a server\n'
                  "hint: it looks like http://127.0.0.1:7233\n")
    folder.expect("a server and a database at once",
                  ["exec", "list", "--url", "http://127.0.0.1:1", "--database", "postgresql:///x"], 2,
                  "error: --url and --database exclude each other")
    folder.expect("a token that would be two headers", ["exec", "list"], 2,
                  "error: STEPWELL_TOKEN has a line break or another control character",
                  env={"STEPWELL_URL": "http://127.0.0.1:1", "STEPWELL_TOKEN": "a\nb"})
    another_server(folder)
    folder.expect("an unknown option", ["exec", "list", "--colour"], 2, "--colour",
                  "hint: `stepwell exec list --help` lists what is possible")
    folder.expect("a number that is none", ["fake", "--port", "http"], 2,
                  'error: --port takes a number, not "http"')
    folder.expect("a lease that nobody could keep", ["dev", "--lease-ms", "0"], 2,
                  "error: --lease-ms: 0 is too small: 1000 or more")
    folder.expect("... nor with a sign", ["dev", "--lease-ms=+0"], 2, "+0 is too small")
    folder.expect("... nor with a blank", ["serve", "--lanes", " -1"], 2, "-1 is too small")
    folder.expect("no whole number", ["serve", "--lanes=-1.5"], 2,
                  'error: --lanes takes a number, not "-1.5"')
    folder.expect("less than no lanes", ["serve", "--lanes=-1"], 2,
                  "error: --lanes: -1 is too small: 0 or more")
    folder.expect("a list of nothing", ["exec", "list", "--limit", "0"], 2,
                  "error: --limit: 0 is too small: 1 or more")
    folder.expect("an unknown command", ["exce"], 2, "error: there is no command \"exce\"",
                  "hint: did you mean \"exec\"?")
    folder.expect("an unknown command of a group", ["exec", "strat", "x"], 2,
                  "there is no command \"exec strat\"", "did you mean \"start\"?")
    folder.expect("a group without a command", ["exec"], 2, "hint: `stepwell exec --help`")
    folder.expect("a choice that is none", ["exec", "list", "-o", "xml"], 2, "xml", "json")
    folder.write("empty.yaml", "")
    folder.expect("an empty workflow file", ["lint", "empty.yaml"], 1, "empty.yaml:1:1: error:")
    done = folder.run("lint", "empty.yaml", "-o", "json")
    verdict(json.loads(done.stdout)[0]["severity"] == "ERROR", "lint -o json is JSON", done.stdout)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        folder.expect("the port is taken", ["dev", "--port", port], 7,
                      f"cannot listen on 127.0.0.1:{port}: Address already in use",
                      "choose another port")


def files_that_cannot_be_read(folder):
    """Whatever the command and whatever the file is for: 4 when it is not there, 3 when one may
    not, and the same words."""
    folder.write("secret/flow.yaml", "x")
    folder.write("secret/one.test.yaml", "x")
    flow = "workflows/echo.yaml"
    commands = [["lint", "FILE"], ["test", "FILE"], ["fmt", "FILE"], ["convert", "FILE"],
                ["graph", "FILE"], ["graph", flow, "--history", "FILE"], ["try", "P", "-f", "FILE"],
                ["try", "P", "-f", flow, "--input", "@FILE"],
                ["try", "P", "-f", flow, "--variables", "@FILE"],
                ["try", "P", "-f", flow, "--context", "@FILE"],
                ["try", "P", "-f", flow, "--items", "@FILE"],
                ["try", "P", "-f", flow, "--mock", "@FILE"],
                ["fake", "--knobs", "@FILE"], ["exec", "start", "echo", "--input", "@FILE"]]
    for command in commands:
        title = " ".join(command)
        finds = command[0] in ("lint", "test", "fmt")  # These take folders too.
        for name, closed, exit_code, said in (
                ("no.yaml", None, 4, "error: there is no file or folder no.yaml\n" if finds else
                 "error: cannot read no.yaml: No such file or directory\n"),
                ("secret/flow.yaml", "secret/flow.yaml", 3,
                 "error: cannot read secret/flow.yaml: Permission denied\n"),
                ("secret/flow.yaml", "secret", 3,
                 "error: cannot read secret/flow.yaml: Permission denied\n")):
            if closed:
                os.chmod(os.path.join(folder.path, closed), 0)
            done = folder.run(*[w.replace("FILE", name) for w in command], **OTHER)
            if closed:
                os.chmod(os.path.join(folder.path, closed), 0o755)
            # fmt goes on with the next file and counts in the end.
            wanted = 1 if command[0] == "fmt" and closed == "secret/flow.yaml" else exit_code
            verdict(done.returncode == wanted and done.stderr.startswith(said) and
                    done.stdout == "", f"{title} with {name}, closed: {closed}",
                    f"exit {done.returncode}, wanted {wanted}\n{done.stdout}{done.stderr}")


def not_permitted(folder):
    """`folder` has a server."""
    closed = os.path.join(folder.path, "closed")
    os.makedirs(closed)
    os.chmod(closed, 0o555)
    folder.expect("a dev server in a folder one may not write", ["dev", "--port", "0"], 3,
                  "error: cannot make the folder .stepwell: Permission denied\n"
                  "hint: is this folder writable?\n", cwd=closed, **OTHER)
    lock = os.path.join(folder.path, ".stepwell/dev.lock")
    os.chmod(lock, 0)
    folder.expect("the dev server of somebody else", ["exec", "list"], 3,
                  f"error: cannot open {lock}: Permission denied\n"
                  "hint: is the `stepwell dev` of this folder another user's?\n", **OTHER)
    os.chmod(lock, 0o600)


def with_a_server(folder):
    folder.expect("a second dev server in the same folder", ["dev", "--port", "0"], 6,
                  "a dev server runs here already")
    folder.expect("an unknown execution", ["exec", "describe", NOBODY], 4, NOBODY,
                  "hint: `stepwell exec list` shows what there is")
    folder.expect("an id that is none", ["exec", "describe", "42"], 2, "42")
    workflows = os.path.join(folder.path, "workflows")
    folder.expect("an unknown workflow", ["exec", "start", "ecko"], 4,
                  'error: there is no workflow ecko\nhint: did you mean "echo"?\n')
    folder.expect("... that is like no other", ["exec", "start", "greet"], 4,
                  f"error: there is no workflow greet\nhint: in {workflows} there are "
                  "echo, failing, fanout, nobody, sleeper\n")
    folder.expect("input that is no JSON", ["exec", "start", "echo", "-i", "{a: ["], 2,
                  "--input:1:")
    folder.expect("an empty input", ["exec", "start", "echo", "-i", ""], 2, "--input is empty",
                  "hint: {} is the empty input")
    folder.expect("a name that is taken by another input",
                  ["exec", "start", "echo", "-n", "once", "-i", "{a: 1}"], 0)
    folder.expect("... is a conflict", ["exec", "start", "echo", "-n", "once", "-i", "{a: 2}"], 6,
                  "error:")
    folder.expect("a failed execution, watched: its error, and exit 1",
                  ["exec", "start", "failing", "--watch"], 1, "FAILED after",
                  "Bank.Shut: on sundays")
    done = folder.run("exec", "start", "echo", "-i", '{"big": 9007199254740993}', "--watch")
    verdict(done.returncode == 0 and json.loads(done.stdout) == {"big": 9007199254740993},
            "the output goes to standard output alone, numbers unharmed", done.stdout)
    ended = folder.run("exec", "start", "echo").stdout.strip()
    folder.run("exec", "watch", ended)
    folder.expect("stopping what has ended", ["exec", "stop", ended], 6,
                  f"error: execution {ended} is SUCCEEDED",
                  "hint: only what is RUNNING can be stopped")
    folder.expect("redriving what has succeeded", ["exec", "redrive", ended], 6,
                  f"error: execution {ended} is SUCCEEDED",
                  "hint: only what is FAILED, TIMED_OUT or ABORTED can be redriven")
    listed = folder.run("exec", "list").stdout + folder.run("exec", "history", ended).stdout
    verdict(not re.search(r" $", listed, re.M), "no line of a table ends with blanks", listed)
    from_below = os.path.join(folder.path, "workflows")
    folder.expect("the picture of an execution",
                  ["graph", "workflows/echo.yaml", "--execution", ended, "--format", "mermaid"], 0,
                  "class s1 succeeded")
    folder.expect("... and of one that is not there", ["graph", "workflows/echo.yaml",
                                                       "--execution", NOBODY], 4, NOBODY)
    folder.expect("the server is found from a folder below", ["exec", "list"], 0, ended,
                  cwd=from_below)
    with open(os.path.join(folder.path, ".stepwell/dev.json"), encoding="utf-8") as known:
        known = json.load(known)
    empty = os.path.join(folder.path, "empty")
    folder.expect("... from anywhere by its URL", ["exec", "describe", ended], 0, "SUCCEEDED",
                  cwd=empty, env={"STEPWELL_URL": known["api_url"]})
    told = [folder.run("exec", "describe", ended, "-o", "json", where, known[url]).stdout
            for where, url in (("--url", "api_url"), ("--database", "database_url"))]
    verdict(told[0] == told[1] != "", "its database, when named, says the same", told)


def nothing_to_run():
    """`stepwell dev` in an empty folder, and on from there without starting it again."""
    folder = Folder({})
    server, said = folder.start_dev()
    try:
        verdict("workflows  none in workflows; what is put there is deployed at once\n" in said,
                "a dev server without workflows says so", said)
        workflows = os.path.join(os.path.realpath(folder.path), "workflows")
        folder.expect("... and what to do about it", ["exec", "start", "echo"], 4,
                      "error: there is no workflow echo\n"
                      f"hint: `stepwell dev` deploys what is put into {workflows}\n")
        folder.write("new/echo.yaml", WORKFLOWS["echo"])
        os.rename(os.path.join(folder.path, "new"), workflows)  # Never seen half written.
        line = server.stderr.readline()
        verdict(line == "deployed   echo\n", "what is put there is deployed", line)
        folder.expect("... and runs", ["exec", "start", "echo", "--watch"], 0, "SUCCEEDED")
        with open(os.path.join(folder.path, ".stepwell/dev.json"), encoding="utf-8") as known:
            url = json.load(known)["database_url"]
        rename = ["psql", "-X", "-q", url, "-c"]
        subprocess.run([*rename, "ALTER TABLE stepwell.programs RENAME TO away"], check=True)
        folder.write("late.yaml", WORKFLOWS["echo"])
        os.rename(os.path.join(folder.path, "late.yaml"), os.path.join(workflows, "late.yaml"))
        said = [server.stderr.readline() for _ in range(2)]
        verdict("deploying late: " in said[0] and
                said[1] == "workflows/late.yaml is not deployed yet; trying again\n",
                "what comes while the database refuses is told of", said)
        subprocess.run([*rename, "ALTER TABLE stepwell.away RENAME TO programs"], check=True)
        line = server.stderr.readline()
        verdict(line == "deployed   late\n", "... and deployed when it does not any more", line)
        folder.expect("an unknown workflow in a database of one's own",
                      ["exec", "start", "greet", "--database", url], 4,
                      "error: starting greet: there is no workflow greet\nhint: `stepwell serve "
                      "--workflows FOLDER` deploys a folder: greet.yaml becomes greet\n")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(LIMIT_SECONDS)


def without_secrets(folder):
    with open(os.path.join(folder.path, ".stepwell/dev.json"), encoding="utf-8") as known:
        url = json.load(known)["database_url"]
    providers = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../providers")
    serve = ["serve", "--database", url, "--listen", "127.0.0.1:0", "--providers", providers]
    folder.expect("a production server without its secrets names all that is missing", serve, 2,
                  "error: these environment variables must be set (only `stepwell dev` makes them "
                  "up):\n",
                  "\n  STEPWELL_VAULT_KEY: 64 hex digits, the key that seals the tokens of "
                  "google_health, strava\n",
                  '\n  STEPWELL_APP_GOOGLE_HEALTH: "CLIENT ID:CLIENT SECRET", what you registered '
                  "with google_health\n", "\n  STEPWELL_APP_STRAVA: ")
    secrets = {"STEPWELL_APP_GOOGLE_HEALTH": "a:b", "STEPWELL_APP_STRAVA": "a:b"}
    folder.env.update(secrets, STEPWELL_VAULT_KEY="abc")
    folder.expect("... a key that is none is refused too", serve, 2,
                  "the vault key must be 64 hex digits")
    for name in [*secrets, "STEPWELL_VAULT_KEY"]:
        del folder.env[name]
    empty = os.path.join(folder.path, "empty")
    folder.expect("tokens for a production database are sealed with no key made up here",
                  ["connect", "strava", "--account", "1", "--tokens", "{access_token: x}",
                   "--database", url], 2, "error: which key seals these tokens?",
                  "hint: set STEPWELL_VAULT_KEY", cwd=empty)


def under_way(url):
    """A connection on which half of a start has come; the server has read its head."""
    host, port = url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS)
    client.sendall(b"POST /v1/workflows/echo/executions HTTP/1.1\r\nHost: localhost\r\n"
                   b"Idempotency-Key: " + os.urandom(8).hex().encode() + b"\r\n"
                   b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    if not client.recv(100).startswith(b"HTTP/1.1 100 "):
        raise SystemExit("not ok - command line: the server reads the head of a start")
    return client


def stops_without_cutting_off(server, url, which, title):
    client = under_way(url)
    server.send_signal(which)
    for line in server.stderr:
        if line == "stopping\n":
            break
    try:
        client.sendall(b"{}")
        answer = client.recv(4096).decode()
    except OSError as error:
        answer = str(error)
    client.close()
    code = server.wait(LIMIT_SECONDS)
    verdict(answer.startswith("HTTP/1.1 202 ") and code == 0, title, f"exit {code}\n{answer}")


def stopped_server(folder):
    with open(os.path.join(folder.path, ".stepwell/dev.json"), encoding="utf-8") as known:
        url = json.load(known)["database_url"]
    serve = subprocess.Popen([STEPWELL, "serve", "--database", url, "--listen", "127.0.0.1:0"],
                             cwd=folder.path, env=folder.env, stderr=subprocess.PIPE, text=True)
    api = ""
    for line in serve.stderr:
        if line.startswith("api "):
            api = line.split()[1]
        if line.startswith("ready"):
            break
    stops_without_cutting_off(serve, api, signal.SIGTERM,
                              "SIGTERM answers the requests under way, then stops the server")


def interrupted(folder):
    sleeping = folder.run("exec", "start", "sleeper").stdout.strip()
    watching = subprocess.Popen([STEPWELL, "exec", "watch", sleeping], cwd=folder.path,
                                env=folder.env, stderr=subprocess.PIPE, text=True)
    first = watching.stderr.readline()
    watching.send_signal(signal.SIGINT)
    rest = watching.communicate(timeout=LIMIT_SECONDS)[1]
    verdict(watching.returncode == 130 and "the execution goes on" in rest,
            "Ctrl-C while watching: exit 130, the execution goes on", first + rest)
    folder.expect("... it does go on", ["exec", "describe", sleeping], 0, "status    RUNNING")
    folder.expect("it can be stopped", ["exec", "stop", sleeping, "--error", "Enough"], 0)
    folder.expect("... and ends ABORTED", ["exec", "watch", sleeping], 1, "ABORTED after", "Enough")


def standing_still(folder):
    watching = subprocess.Popen([STEPWELL, "exec", "start", "nobody", "--watch"], cwd=folder.path,
                                env=folder.env, stderr=subprocess.PIPE, text=True)
    said = [watching.stderr.readline() for _ in range(3)]  # started, the state, and:
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=LIMIT_SECONDS)
    verdict(said[2] == 'waiting at workflows/nobody.yaml:3:3: no process that serves this pool has '
            'a handler for "bank.charge"\n', "watching tells why nothing moves", said)


def closed_pipe(folder):
    writing = subprocess.Popen(f"{STEPWELL} exec list -o json | head -c 1", shell=True,
                               cwd=folder.path, env=folder.env, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    out, err = writing.communicate(timeout=LIMIT_SECONDS)
    verdict(out == "{" and err == "", "output into a closed pipe ends in silence", out + err)


def for_programs(folder):
    """What the commands that change an execution answer with -o json."""
    folder.write("retried.json", '{"failed_ranges": ["a"]}')
    echo = folder.run("exec", "start", "echo", "-i", "@retried.json").stdout.strip()
    folder.run("exec", "watch", echo)
    sleeping = folder.run("exec", "start", "sleeper", "-n", "told").stdout.strip()
    known = json.dumps({"id": sleeping}, separators=(",", ":")) + "\n"
    for words, out in ((["exec", "start", "sleeper", "-n", "told"],
                        known.replace("}", ',"existed":true}')),
                       (["exec", "stop", sleeping], known), (["exec", "watch", sleeping], None),
                       (["exec", "redrive", sleeping], known), (["exec", "stop", sleeping], known),
                       (["backfill", "retry", echo], r'{"id":"[0-9a-f-]{36}","existed":false}\n')):
        done = folder.run(*words, "-o", "json")
        verdict(out is None or re.fullmatch(out, done.stdout), f"{' '.join(words[:2])} -o json",
                f"exit {done.returncode}\n{done.stdout}{done.stderr}")


def full_disk(folder):
    """Whoever keeps a result in a file must hear that it is not there."""
    lost = "error: cannot write standard output: No space left on device\n"
    ended = folder.run("exec", "start", "echo", "--watch", "-o", "json")
    one = json.loads(ended.stdout)["id"]
    for words in (["--help"], ["schema"], ["exec", "list"], ["exec", "list", "-o", "json"],
                  ["exec", "describe", one], ["exec", "history", one, "-o", "json"],
                  ["exec", "start", "echo", "--watch"], ["graph", "workflows/echo.yaml"],
                  ["convert", "workflows/echo.yaml"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([STEPWELL, *words], cwd=folder.path, env=folder.env, stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS,
                                  check=False)
        verdict(done.returncode == 3 and done.stderr.endswith(lost),
                f"a result that could not be written: {' '.join(words[:2])}",
                f"exit {done.returncode}\n{done.stderr}")


def columns(line):
    return len(re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line))


def narrow_terminal(folder, words, title):
    """Runs on a terminal of 40 columns; answers what it wrote."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder.path)
        os.execve(STEPWELL, [STEPWELL, *words], {**folder.env, "TERM": "xterm"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    text = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    status = os.waitpid(pid, 0)[1]
    text = text.decode()
    wide = [li for li in re.split(r"[\r\n]+", text) if columns(li) > 40]
    return os.waitstatus_to_exitcode(status), text, wide, title


def terminals(folder):
    try:
        for end in pty.openpty():
            os.close(end)
    except OSError as error:  # A container without /dev/pts.
        print(f"skip - command line: a terminal of 40 columns: {error}", flush=True)
        return
    code, text, wide, title = narrow_terminal(
        folder, ["exec", "start", "fanout", "-i", "{items: [1, 2, 3, 4]}", "--watch"],
        "a live bar on a terminal of 40 columns does not wrap")
    verdict(code == 0 and "/4" in text and ("█" in text or "░" in text) and
            not [w for w in wide if "/4" in w], title, repr(text))
    code, text, _, title = narrow_terminal(folder, ["exec", "list", "--workflow", "failing"],
                                           "a narrow table cuts its cells, but no id")
    uncut = folder.run("exec", "list", "--workflow", "failing").stdout
    ids = re.findall(r"^[0-9a-f-]{36}(?=  )", uncut, re.M)
    verdict(code == 0 and ids and all(one in text for one in ids) and "Bank.Sh…" in text and
            "Bank.Shut" in uncut, title, repr(text) + uncut)


def main():
    folder = Folder(WORKFLOWS)
    without_a_server(folder)
    files_that_cannot_be_read(folder)
    nothing_to_run()
    server, said = folder.start_dev()
    warning = ('workflows/nobody.yaml:3:3: warning: nobody here serves "bank.charge"; executions '
               "wait there until somebody does\n")
    verdict(warning in said, "a task that nobody serves is told when it is deployed", said)
    try:
        not_permitted(folder)
        with_a_server(folder)
        without_secrets(folder)
        interrupted(folder)
        standing_still(folder)
        closed_pipe(folder)
        full_disk(folder)
        for_programs(folder)
        terminals(folder)
    finally:
        server.send_signal(signal.SIGINT)
        code = server.wait(LIMIT_SECONDS)
    verdict(code == 0, "Ctrl-C stops the dev server cleanly", f"exit {code}")
    verdict(not os.path.exists(os.path.join(folder.path, ".stepwell/dev.json")),
            "it leaves nothing behind that says it runs", "")
    folder.expect("... and afterwards there is no engine", ["exec", "list"], 7, "no engine found")
    again, _ = folder.start_dev()
    folder.expect("what it knew is there when it is started again", ["exec", "list"], 0, "sleeper")
    stopped_server(folder)
    with open(os.path.join(folder.path, ".stepwell/dev.json"), encoding="utf-8") as known:
        api = json.load(known)["api_url"]
    stops_without_cutting_off(again, api, signal.SIGTERM, "SIGTERM stops it cleanly too")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
