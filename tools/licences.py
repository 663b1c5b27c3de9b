#!/usr/bin/env python3
"""What is linked into the binary, with version and licence: writes docs/licences.md.

  licences.py write BUILD     writes the page from BUILD (a folder of `cmake --build`)
  licences.py check BUILD     fails when the page and what BUILD/stepwell links are not the same set

Shared libraries come from the binary itself (readelf, ldd); libraries of headers alone from the
headers that its objects were compiled from (ninja's dependencies).  dpkg knows the package and the
version of both, the package's copyright file the licence.  Versions are those of the machine that
wrote the page: security updates change them, so `check` compares names, not versions.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
PAGE = "docs/licences.md"

# The name of a library in the table of docs/ARCHITECTURE.md, by the package that it comes from.
NAMES = [
    (r"nlohmann-json3", "nlohmann/json"), (r"libssl", "libcrypto, libssl"), (r"libpcre2", "PCRE2"),
    (r"libyaml-cpp", "yaml-cpp"), (r"libuv", "libuv"), (r"zlib1g", "zlib"),
    (r"libcurl", "libcurl"), (r"libpqxx", "libpqxx"), (r"libfmt", "fmt"), (r"liblua", "Lua"),
    (r"libsodium", "libsodium"), (r"libcli11", "CLI11"), (r"libboost", "Boost"),
    (r"libstdc\+\+", "GNU C++ library"), (r"libgcc-s", "GNU compiler's runtime"),
    (r"libc6", "GNU C library"), (r"libpq\d", "libpq"), (r"libwslay", "libwslay"),
]
# Copyright files in free text, and the line of theirs that is the licence.
FREE_TEXT = [
    (r"libstdc\+\+|libgcc-s", r"GCC Runtime Library Exception",
     "GPL-3+ with the GCC Runtime Library Exception"),
    (r"libc6", r"GNU Lesser General Public", "LGPL-2.1+"),
]
# Headers of these are only the other half of a shared library, or the system's own.
NOT_HEADER_ONLY = re.compile(r"linux-libc-dev|libstdc\+\+-|libgcc-|libc6-dev|libcrypt-dev|clang-|"
                             r"libclang-")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def packages_of(paths):
    """path -> the package that it belongs to; Debian's /usr merge leaves two names for a file."""
    names = {}
    for path in paths:
        real = os.path.realpath(path)
        for name in (real, real.removeprefix("/usr"), "/usr" + real):
            names[name] = path
    # One call, because each reads every package's list; it complains of the names that are not.
    found = subprocess.run(["dpkg", "-S", *names], capture_output=True, text=True, check=False)
    packages = {}
    for line in found.stdout.splitlines():
        owners, _, name = line.partition(": ")
        if name in names:
            packages[names[name]] = owners.split(",")[0].split(":")[0]
    for path in sorted(set(paths) - set(packages)):
        raise SystemExit(f"licences: {path} belongs to no package")
    return packages


def version_of(package):
    return run("dpkg-query", "-W", "-f=${Version}\n", package).splitlines()[0]


def licence_of(package):
    path = f"/usr/share/doc/{package}/copyright"
    text = open(path, encoding="utf-8", errors="replace").read()
    for pattern, sign, licence in FREE_TEXT:
        if re.match(pattern, package) and re.search(sign, text):
            return licence
    for stanza in re.split(r"\n\s*\n", text):
        if re.search(r"^Files:\s*\*(\s|$)", stanza, re.M):
            found = re.search(r"^License:[ \t]*(\S.*)$", stanza, re.M)
            return found[1].strip() if found else f"see `{path}`"
    return f"see `{path}`"


def name_of(package):
    return next((name for pattern, name in NAMES if re.match(pattern, package)), package)


def source_of(package):
    return run("dpkg-query", "-W", "-f=${source:Package}\n", package).splitlines()[0]


def needed(binary):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-d", binary))


def loaded(binary):
    """soname -> path, of everything that the loader brings in for it."""
    return dict(re.findall(r"(\S+) => (\S+) \(", run("ldd", binary)))


def header_packages(build):
    """The packages of all headers outside the tree that our own objects include."""
    folders, headers = {}, set()
    ours = False
    for line in run("ninja", "-C", build, "-t", "deps").splitlines():
        if line and not line.startswith(" "):
            ours = not line.startswith(("tests/", "bench/", "tools/", "examples/"))
        elif ours and line.strip().startswith("/usr/"):
            headers.add(os.path.realpath(line.strip()))
    for header in sorted(headers):
        folders.setdefault(os.path.dirname(header), header)  # One of each folder is enough.
    return set(packages_of(folders.values()).values())


def gather(build):
    """(linked, header only, brought in by those): each a sorted list of packages."""
    binary = os.path.join(build, "stepwell")
    paths = loaded(binary)
    owners = packages_of(paths.values())
    linked = {owners[paths[soname]] for soname in needed(binary) if soname in paths}
    sources = {source_of(package) for package in linked}
    only = {p for p in header_packages(build)
            if not NOT_HEADER_ONLY.match(p) and source_of(p) not in sources}
    brought = set(owners.values()) - linked
    # Headers of a library that another one brings in (libpq of libpqxx) are not headers alone.
    brought_sources = {source_of(package) for package in brought}
    only = {p for p in only if source_of(p) not in brought_sources}
    return sorted(linked, key=name_of), sorted(only, key=name_of), sorted(brought)


def table(packages):
    lines = ["| library | package | version | licence |", "|---|---|---|---|"]
    for package in packages:
        lines.append(f"| {name_of(package)} | `{package}` | {version_of(package)} "
                     f"| {licence_of(package)} |")
    return lines


def page(build):
    linked, only, brought = gather(build)
    return "\n".join([
        "# What the binary is made of", "",
        "Stepwell itself is under the [Apache License 2.0](../LICENSE). It links what Debian 12 "
        "has packages of, and carries no copy of them.",
        "This page is written by `tools/licences.py write build/release`; a test compares it with "
        "the binary.", "",
        "## Shared libraries that it links", "", *table(linked), "",
        "## Libraries of headers alone, compiled into it", "", *table(only), "",
        "## What those libraries bring in when they are loaded", "", *table(brought), "",
        "Lua's API is used through Debian's build of Lua as C++. The plugin process links nothing "
        "else: it is the same binary. The licence is that of most files of the package (a library "
        "in it may be under a milder one); the full text is in "
        "`/usr/share/doc/PACKAGE/copyright`.", ""])


def names_on_page(text, heading):
    section = text.split(f"## {heading}", 1)[1].split("\n## ")[0]
    return set(re.findall(r"^\| ([^|]+?) \| `", section, re.M))


def check(build):
    text = open(os.path.join(ROOT, PAGE), encoding="utf-8").read()
    linked, only, _ = gather(build)
    wrong = []
    for heading, packages in (("Shared libraries", linked), ("Libraries of headers", only)):
        on_page, there = names_on_page(text, heading), {name_of(p) for p in packages}
        wrong += [f"{name} is linked, and not on the page" for name in sorted(there - on_page)]
        wrong += [f"{name} is on the page, and not linked" for name in sorted(on_page - there)]
    for line in wrong:
        print(f"not ok - {PAGE}: {line}; run tools/licences.py write {build}")
    if not wrong:
        print(f"ok - {PAGE}: names what the binary links")
    return 1 if wrong else 0


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("write", "check"):
        print(__doc__, file=sys.stderr)
        return 2
    build = os.path.abspath(sys.argv[2])
    if sys.argv[1] == "check":
        return check(build)
    with open(os.path.join(ROOT, PAGE), "w", encoding="utf-8") as out:
        out.write(page(build))
    return 0


if __name__ == "__main__":
    sys.exit(main())
