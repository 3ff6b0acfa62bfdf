"""Turns the plain comments of include/parallelstate.h, which are written for readers of the header, into what Doxygen
understands; Doxygen runs it as its input filter. The rules:

- The first block is the main page; a paragraph that opens with a word in capitals gets it as its title.
- `/* ---- Title ---- */` opens a section, which becomes a group. A comment between blank lines after it is about the
  section.
- A comment on the lines before a declaration, or behind one on its line, is about that declaration.
- The mark that opens a function's comment ("C b.") is spelled out. Indented lines are a table and stay as they are.
- What is the same everywhere is not said in the header: struct_size, PS_X_INIT, and that an enum holds a type's values.

usage: reference_filter.py parallelstate.h"""

import re
import sys

WHO = {"C": "Collective", "P": "Needs its peer", "L": "Local"}
HOW = {"b": "may block up to a deadline", "q": "returns soon"}


def escape(text: str) -> str:
    """Keeps Markdown and HTML from seeing what is meant as C, outside of `code`."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([*<>&])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def words(comment: str) -> str:
    """The text of a comment, without its frame; tables are marked as such."""
    lines = [re.sub(r"^ ?\* ?", "", line.strip()) for line in comment[2:-2].strip().split("\n")]
    kept, table = [], False
    for number, line in enumerate(lines):
        indented = line.startswith("  ")
        following = next((later for later in lines[number:] if later), "")
        if table and not (indented or (not line and following.startswith("  "))):
            kept.append("@endverbatim")
            table = False
        elif indented and not table:
            kept.append("@verbatim")
            table = True
        kept.append(line if table else escape(line.strip()))
    return "\n".join(kept + ["@endverbatim"] * table)


def function_words(text: str) -> str:
    mark = re.match(r"([CPL]) ([bq])(, [^.]*)?\.\s*", text)
    if not mark:
        return text
    return f"{text[mark.end():]}\n@par Call\n{WHO[mark[1]]}{mark[3] or ''}; {HOW[mark[2]]}."


def main_page(text: str) -> str:
    text = re.sub(r"^([A-Z]{4,})\. ", lambda m: f"@par {m[1].capitalize()}\n", text, flags=re.M)
    text = re.sub(r"^([A-Z]{4,}) ", lambda m: f"@par {m[1].capitalize()}\n{m[1].capitalize()} ", text, flags=re.M)
    return f"/** @mainpage The C interface\n{text}\n*/\n/** @file\nThe whole public interface of ParallelState. */"


def convert(source: str) -> str:
    source = re.sub(r"#if defined\(__GNUC__\).*?#endif\n", "", source, flags=re.S).replace("PS_API ", "")
    source = re.sub(r"^(typedef int32_t (ps\w+);)\nenum \{", r"\1\n/* The values of \2. */\nenum {", source, flags=re.M)
    source = re.sub(r"^(  uint32_t struct_size;)$", r"\1 /* the size of this struct, by the macro or sizeof */", source,
                    flags=re.M)
    source = re.sub(r"^#define PS_(\w+)_INIT\b(?=[\s\S]*?\(uint32_t\)sizeof\((\w+)\))",
                    r"/* Initialises a \2: struct_size set, all else zero. */\n\g<0>", source, flags=re.M)
    output, end, section = [], 0, ""
    for comment in re.finditer(r"/\*.*?\*/", source, re.S):
        if comment.start() < end:
            continue  # said with its section
        output.append(source[end:comment.start()])
        end = comment.end()
        before = source[source.rfind("\n", 0, comment.start()) + 1:comment.start()].strip()
        banner = re.fullmatch(r"/\* ---- (.*?) -+ \*/", comment[0])
        text = words(comment[0])
        if comment.start() == 0:
            output.append(main_page(text))
        elif banner:
            opened, section = section, re.sub(r"\W+", "_", banner[1].lower()).strip("_")
            about = re.compile(r"\s+(/\*(?! ----).*?\*/)(?=\n\n)", re.S).match(source, end)
            if about and about[1].count("/*") == 1:
                end = about.end()
                text = words(about[1])
            else:
                text = ""
            output.append("/** @} */\n" * bool(opened) + f"/** @defgroup {section} {banner[1]}\n{text}\n@{{ */")
        elif before.startswith("#endif"):
            output.append(comment[0])
        elif before:
            output.append(f"/**< {text} */")
        else:
            output.append(f"/** {function_words(text)} */")
    return "".join(output) + source[end:] + "/** @} */\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(convert(file.read()), end="")
