"""Final Draft's FDX: XML whose paragraphs have types."""

from collections.abc import Iterator

from lxml import etree

from charbot.scripts.assembly import LineTag


class FinalDraft:
    """FDX files, as Final Draft and compatible programs save them."""

    name = "fdx"

    def confidence(self, text: str) -> float:
        # Files that are not XML may mention the tag.
        return 1.0 if text.lstrip("\ufeff \t\r\n").startswith("<") and "<FinalDraft" in text[:2_000] else 0.0

    def brackets(self, text: str) -> str:
        return "("

    def tags(self, text: str) -> Iterator[LineTag]:
        # No entities, no network: a script needs neither, and both are used to attack XML parsers.
        # The encoding that the file declares no longer applies, since the text is decoded.
        parser = etree.XMLParser(encoding="utf-8", recover=True, resolve_entities=False, no_network=True, huge_tree=True)
        try:
            root = etree.fromstring(text.encode("utf-8", "replace"), parser)
        except etree.XMLSyntaxError:
            return
        content = None if root is None else root.find("Content")
        if content is None:
            return
        for part, paragraph in enumerate(content.iter("Paragraph")):
            # Direct children only: paragraphs nested in it (dual dialogue, notes) are iterated themselves.
            text = "".join(run.text or "" for run in paragraph.findall("Text")).strip()
            if not text:
                continue
            line, kind = paragraph.sourceline or 1, paragraph.get("Type", "")
            if next(paragraph.iterancestors("ScriptNote"), None) is not None:
                yield LineTag(line, "aside", text, "transcriber's note", part)
            elif kind == "Character":
                yield LineTag(line, "name", text, part=part)
            elif kind in ("Dialogue", "Lyrics"):
                yield LineTag(line, "speech", text, part=part)
            elif kind == "Parenthetical":
                yield LineTag(line, "speech", text if text.startswith("(") else f"({text})", part=part)
            elif kind in ("Scene Heading", "Transition", "New Act", "End of Act"):
                yield LineTag(line, "scene", text, part=part)
            else:
                yield LineTag(line, "omission", text, "narration", part)
