#!/usr/bin/env python3
"""`stepwell connect`: what it refuses, since no call could work with it, and its key.

  connect_test.py STEPWELL
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mistakes_test  # noqa: E402
from mistakes_test import Folder, verdict  # noqa: E402

PROVIDERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../providers")
GOOD = {"access_token": "x", "refresh_token": "y", "expires_in": 3600}
TOO_LONG = "expires_in must be a whole number of seconds, at most 3155760000"

# What is wrong, what differs from a good command line, and what is said.
REFUSED = [
    ("settings that are a list", {"--settings": "[1]"},
     'error: --settings is not an object\n'),
    ("a profile that is text", {"--settings": '{"profile": "UTC"}'},
     "error: --settings: profile is not an object\n"),
    ("no account", {"--account": ""}, "error: --account is empty\n"),
    ("tokens that are text", {"--tokens": '"x"'}, "error: the tokens have no access_token\n"),
    ("expires_in as text", {"expires_in": "3600"}, f"error: --tokens: {TOO_LONG}\n"),
    ("expires_in beyond all calendars", {"expires_in": 99999999999999999},
     f"error: --tokens: {TOO_LONG}\n"),
    ("a token that ended before it began", {"expires_in": -1}, f"error: --tokens: {TOO_LONG}\n"),
    ("a refresh token that is a number", {"refresh_token": 5},
     "error: --tokens: refresh_token is not a string\n"),
    ("a token of two lines", {"access_token": "x\r\nHost: y"},
     "error: --tokens: access_token has a line break or another control character\n"),
    ("a provider that does not exist", {"provider": "stravva"},
     f'error: there is no provider stravva in {PROVIDERS}\nhint: did you mean "strava"?\n'),
    ("... unlike any that does", {"provider": "q"},
     f"error: there is no provider q in {PROVIDERS}\n"
     "hint: --providers FOLDER says where it is\n"),
]


def words_of(change):
    options = {"--account": "1", "--settings": "{}", "--providers": PROVIDERS}
    options.update({k: v for k, v in change.items() if k in options})
    tokens = {**GOOD, **{k: v for k, v in change.items() if k in GOOD}}
    options["--tokens"] = change.get("--tokens", json.dumps(tokens))
    return ["connect", change.get("provider", "strava"), *[w for o in options.items() for w in o]]


def refuses(folder):
    for title, change, said in REFUSED:
        done = folder.run(*words_of(change))
        lines = done.stderr.split("hint: give what")[0]
        verdict(done.returncode == 2 and done.stdout == "" and lines == said,
                f"connect refuses {title}", f"exit {done.returncode}\n{done.stdout}{done.stderr}")


def accepts(folder):
    for title, change in [
            ("a good one", {}), ("no refresh token", {"refresh_token": None}),
            ("a token that has ended", {"expires_in": 0}),
            ("settings", {"--settings": '{"scopes": ["read"], "profile": {}, "settings": {}}'})]:
        folder.expect(f"connect takes {title}", words_of(change), 0, "strava:1\n")
    folder.expect("... and any provider where there are none to be seen",
                  ["connect", "mine", "--account", "1", "--tokens", "{access_token: x}"], 0,
                  "mine:1\n")


def seals_with_the_key_of_that_database(folder):
    """The dev server's key in this folder says nothing about a database that is given."""
    words = words_of({})
    refused = ["error: which key seals these tokens?\n"
               "hint: set STEPWELL_VAULT_KEY to the one that the engine on this database has\n"]
    other = "postgresql://127.0.0.1:1/production"
    folder.expect("connect to another database does not seal with the dev server's key",
                  [*words, "--database", other], 2, *refused)
    folder.env["STEPWELL_DATABASE_URL"] = other
    folder.expect("... nor to one that the environment names", words, 2, *refused)
    folder.env["STEPWELL_VAULT_KEY"] = "0" * 64
    folder.expect("... but with the one that is given", words, 7, "127.0.0.1")
    del folder.env["STEPWELL_DATABASE_URL"], folder.env["STEPWELL_VAULT_KEY"]


def an_empty_key_file(folder):
    folder.write(".stepwell/vault.key", "")
    done = folder.run("dev", "--port", "0")
    said = ("error: the key file ./.stepwell/vault.key is empty; remove it to have a new key made "
            "(the tokens that the lost one sealed stay lost)\n")
    verdict(done.returncode == 3 and done.stderr == said,
            "dev says that its key file is empty, and no more", f"{done.returncode} {done.stderr}")
    os.remove(os.path.join(folder.path, ".stepwell/vault.key"))


def main():
    folder = Folder({})
    an_empty_key_file(folder)
    server, _ = folder.start_dev()
    try:
        refuses(folder)
        accepts(folder)
        seals_with_the_key_of_that_database(folder)
    finally:
        server.terminate()
        server.wait()
    return 1 if mistakes_test.failures else 0


if __name__ == "__main__":
    sys.exit(main())
