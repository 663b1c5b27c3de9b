"""C++ source, as far as tidy must understand it: code without comments and literals, includes,
names of types, and where functions begin and end.  Approximate, but right on code in our style."""
import re
from dataclasses import dataclass

LITERALS = re.compile(
    r'(?P<raw>R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)")'
    r'|(?P<line>//[^\n]*)'
    r'|(?P<block>/\*.*?\*/)'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<char>(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+')", re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
CONTAINER = re.compile(r'\b(namespace|class|struct|union|enum|extern)\b')


def blank(found):
    """The same number of lines and columns, without the contents."""
    text = found.group(0)
    kept = re.sub(r"[^\n]", " ", text)
    if found.group("string") or found.group("raw"):
        return '"' + kept[1:-1] + '"' if len(kept) > 1 else kept
    return kept


class Source:
    def __init__(self, text):
        self.text = text
        without_includes = INCLUDE.sub(lambda m: m.group(0).replace('"', " "), text)
        self.code = LITERALS.sub(blank, without_includes)
        self.code_lines = self.code.split("\n")

    def includes(self):
        for found in INCLUDE.finditer(self.text):
            yield self.text.count("\n", 0, found.start(1)) + 1, found[1], found[2]

    def types(self):
        for number, line in enumerate(self.code_lines, 1):
            for found in re.finditer(r"\b(?:class|struct|enum class|enum|union)\s+([A-Z]\w*)|"
                                     r"\busing\s+([A-Z]\w*)\s*=", line):
                yield number, found[1] or found[2]


@dataclass
class Function:
    name: str
    line: int
    length: int


def is_function(head):
    """Does this text, from the last ; { or } up to a {, begin the body of a function?"""
    head = re.sub(r"#[^\n]*(\\\n[^\n]*)*", " ", head).strip()
    if ")" not in head or head.endswith(("=", ",", "(", "return")):
        return False
    if CONTAINER.match(re.sub(r"^(template\s*<[^{]*>|\[\[\w+\]\]|inline|export)\s*", "", head)):
        return bool(re.match(r"(struct|class|enum|union)\s+\w[\w:]*\s*[*&]?\s+\w+\(", head))
    return re.search(r"\w\s*\(|operator", head) is not None


def functions(source):
    """The outermost functions: lambdas and blocks belong to the function around them."""
    code, found, stack, start = source.code, [], [], 0
    inside = None  # (depth, name, line) of the function that we are in.
    for position in (m.start() for m in re.finditer(r"[{};]", code)):
        mark = code[position]
        if mark == "{":
            head = code[start:position]
            if inside is None and is_function(head):
                name = re.search(r"([\w:~]+|operator\s*\S+)\s*\(", head.strip())
                line = code.count("\n", 0, start + len(head) - len(head.lstrip())) + 1
                inside = (len(stack), name[1] if name else "?", line)
            stack.append(mark)
        elif mark == "}" and stack:
            stack.pop()
            if inside and inside[0] == len(stack):
                end = code.count("\n", 0, position) + 1
                found.append(Function(inside[1], inside[2], end - inside[2] + 1))
                inside = None
        start = position + 1
    return found
