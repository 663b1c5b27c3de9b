#!/usr/bin/env python3
"""What we show is what happens: the workflows of workflows/ and of the pages under docs/.

  workflows_test.py SOURCE STEPWELL

Every workflow in workflows/ is free of warnings, and does what the transcript beside it says.
On a page, a block of YAML that begins with `# name.yaml` is a workflow, and one that begins
with `# name.test.yaml` its transcript; they are written into a folder and run.

STEPWELL_BLESS=1 writes the transcripts as they are now into the pages.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE, STEPWELL = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
EXAMPLES = os.path.join(SOURCE, "workflows", "examples")
PAGES = os.path.join(SOURCE, "docs")
BLOCK = re.compile(r"^```yaml\n(# (?:workflows/)?([\w-]+(?:\.test)?\.yaml)\n.*?)^```", re.M | re.S)
LIMIT_SECONDS = 120
# A list of words, without a workflow to run.
WITHOUT_TRANSCRIPT = {"diagnostics.md"}

failures = 0


def verdict(good, title, why=""):
    global failures
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} - workflows: {title}", flush=True)
    if not good:
        print(why, flush=True)


def stepwell(*words):
    done = subprocess.run([STEPWELL, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=LIMIT_SECONDS, check=False)
    return done.returncode, done.stdout


def check_folder(folder, title):
    """Its workflows have no warning, and their transcripts tell what happens."""
    code, said = stepwell("lint", folder)
    verdict(code == 0 and " 0 warnings" in said, f"{title}: no error, no warning", said)
    code, said = stepwell("test", folder)
    verdict(code == 0, f"{title}: the transcripts tell what happens", said)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_examples():
    check_folder(os.path.join(SOURCE, "workflows"), "workflows/")
    code, said = stepwell("test", "--coverage", EXAMPLES)
    verdict(code == 0 and "no test reaches" not in said, "the examples are told in full",
            "\n".join(line for line in said.splitlines() if not line.startswith("ok")))
    code, said = stepwell("fmt", "--check", EXAMPLES)
    verdict(code == 0, "the examples are tidy", said)
    names = sorted(n[:-len(".yaml")] for n in os.listdir(EXAMPLES)
                   if n.endswith(".yaml") and not n.endswith(".test.yaml"))
    listed = re.findall(r"\((\w+)\.yaml\)", read(os.path.join(EXAMPLES, "README.md")))
    verdict(names == sorted(listed), "workflows/examples/README.md lists every example",
            f"files {names}, listed {sorted(listed)}")
    for name in names:
        path = os.path.join(EXAMPLES, name + ".test.yaml")
        told = read(path) if os.path.exists(path) else ""
        cases = len(re.findall(r"^    transcript: \|", told, re.M))
        verdict(cases >= 3, f"{name} is told in three cases or more", f"{path}: {cases}")


def check_converted():
    """An example that `stepwell convert` makes JSONata of, as far as it can, does the same."""
    with tempfile.TemporaryDirectory() as folder:
        converted = 0
        for name in sorted(os.listdir(EXAMPLES)):
            path = os.path.join(EXAMPLES, name)
            if name.endswith(".test.yaml"):
                shutil.copy(path, folder)
            elif name.endswith(".yaml"):
                code, said = stepwell("convert", "--to", "jsonata", "--assume-plain", "-o",
                                      os.path.join(folder, name), path)
                # 1: some of its states stay as they are.
                verdict(code in (0, 1), f"{name} is converted", said)
                converted += 1 if re.search(r"^[1-9]\d* states? converted", said, re.M) else 0
        code, said = stepwell("test", folder)
        verdict(code == 0 and converted > 4, f"{converted} examples do the same as JSONata", said)


def pages():
    for folder, folders, names in os.walk(PAGES):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.join(folder, name)


def write_blocks(text, folder):
    for block, name in BLOCK.findall(text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(block)


def bless(page, text, folder):
    stepwell("test", "--update", folder)
    blessed = BLOCK.sub(
        lambda found: "```yaml\n" + read(os.path.join(folder, found[2])).rstrip() + "\n```", text)
    with open(page, "w", encoding="utf-8") as file:
        file.write(blessed)


def is_caught_lying(text, folder):
    """A transcript with one word changed is refused: the test can fail."""
    for block, name in BLOCK.findall(text):
        if name.endswith(".test.yaml"):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(re.sub(r"\bexited\b", "escaped", block, count=1))
    code, _ = stepwell("test", folder)
    return code != 0


def check_pages():
    for page in pages():
        text, title = read(page), os.path.relpath(page, SOURCE)
        names = [name for _, name in BLOCK.findall(text)]
        in_language = os.path.dirname(page) == os.path.join(PAGES, "dsl")
        if in_language and os.path.basename(page) not in WITHOUT_TRANSCRIPT:
            verdict(any(n.endswith(".test.yaml") for n in names),
                    f"{title} has a workflow with its transcript")
        if not any(n.endswith(".test.yaml") for n in names):
            continue
        verdict(len(names) == len(set(names)), f"{title}: every block has a name of its own",
                str(names))
        with tempfile.TemporaryDirectory() as folder:
            write_blocks(text, folder)
            if os.environ.get("STEPWELL_BLESS"):
                bless(page, text, folder)
            check_folder(folder, title)
            verdict(is_caught_lying(text, folder), f"{title}: a wrong transcript would be noticed")


def fields_of_the_compiler():
    """{kind: {field: language}}, read off its table."""
    code = read(os.path.join(SOURCE, "dsl/tables/fields.cc"))
    bits = {"Task": 1, "Pass": 2, "Choice": 4, "Wait": 8, "Succeed": 16, "Fail": 32,
            "Parallel": 64, "Map": 128}
    names = {"k" + kind: bit for kind, bit in bits.items()}
    names["kEveryKind"] = 255
    for name, sum_of in re.findall(r"^constexpr std::uint16_t (k\w+) = ([^;]+);", code, re.M):
        names[name] = evaluated(sum_of, names)
    fields = {kind: {} for kind in bits}
    row = r'{"(\w+)", Shape::\w+, ([^,]+), k(\w+)}'
    for field, kinds, language in re.findall(row, code):
        for kind, bit in bits.items():
            if evaluated(kinds, names) & bit:
                fields[kind][field] = {"PathOnly": "JSONPath", "JsonataOnly": "JSONata",
                                       "Both": ""}[language]
    return fields


def evaluated(words, names):
    """The value of "kA | kB" and "kA & ~kB"."""
    value = 0
    for sign, inverted, name in re.findall(r"([|&]?)\s*(~?)(\w+)", words):
        bits = ~names[name] if inverted else names[name]
        value = value & bits if sign == "&" else value | bits
    return value


def fields_on(text):
    """{field: language} of the first table that has a column for the language."""
    rows = text.split("| field | language |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return {field: cell[2] for cell in cells for field in re.findall(r"`(\w+)`", cell[1])}


def check_fields():
    """The page of a kind of state lists exactly the fields that the compiler takes."""
    kinds = fields_of_the_compiler()
    verdict(all(len(fields) > 3 for fields in kinds.values()), "the compiler's fields are read")
    for kind, fields in kinds.items():
        listed = fields_on(read(os.path.join(PAGES, "dsl", kind.lower() + ".md")))
        wrong = sorted(set(listed.items()) ^ set(fields.items()))
        verdict(not wrong, f"docs/dsl/{kind.lower()}.md lists the fields of a {kind}", str(wrong))


def main():
    check_examples()
    check_converted()
    check_fields()
    check_pages()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
