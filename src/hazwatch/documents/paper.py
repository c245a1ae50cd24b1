"""One PDF of A4 pages: title, facts, tables, paragraphs, lines to sign. The letters that it uses travel inside it.

Rooms say what stands on a paper; how it looks is decided here, once for all of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace
from pylopdf_fonts_zh_cn import sans_path

_FONT = "Noto Sans SC"
_MARGIN_MM = 18.0
_TITLE_PT, _HEAD_PT, _TEXT_PT, _SMALL_PT = 16, 11.5, 9.5, 8
_LINE_MM = 5.4
_GREY = (232, 235, 237)
_RULE_MM = 0.2
_PICTURE_MM, _GAP_MM = 62.0, 4.0
_LABEL_SHARE = 0.18


class _Page(FPDF):  # type: ignore[misc]  # fpdf2 has no types
    """Pages with a foot: what the paper is, and which page of how many."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self._foot = foot

    def footer(self) -> None:
        """Called by the library at the end of each page."""
        self.set_y(-12)
        self.set_font(_FONT, size=_SMALL_PT)
        self.set_text_color(90)
        self.cell(0, 5, self._foot)
        self.set_x(self.l_margin)
        self.cell(0, 5, f"第 {self.page_no()} 页 共 {{nb}} 页", align="R")
        self.set_text_color(0)


class Paper:
    """A paper that is written from top to bottom."""

    def __init__(self, title: str, *, foot: str, made: datetime) -> None:
        """Begin a paper.

        Args:
            title: its heading and the title of the file.
            foot: stands at the foot of every page.
            made: when; the same content made at the same moment gives the same bytes.
        """
        self._pdf = _Page(_plain(foot))
        self._pdf.add_font(_FONT, "", sans_path())
        self._pdf.set_title(title)
        self._pdf.set_creator("Hazwatch")
        self._pdf.set_lang("zh-CN")
        self._pdf.set_creation_date(made)
        self._pdf.set_margin(_MARGIN_MM)
        self._pdf.set_auto_page_break(auto=True, margin=_MARGIN_MM)
        self._pdf.add_page()
        self._pdf.set_line_width(_RULE_MM)
        self._text(title, _TITLE_PT, height=10, align="C")
        self._pdf.ln(2)

    def heading(self, text: str) -> None:
        """The heading of a part."""
        self._pdf.ln(2.5)
        self._text(text, _HEAD_PT, height=7)

    def paragraph(self, text: str, *, small: bool = False) -> None:
        """Running text."""
        self._text(text, _SMALL_PT if small else _TEXT_PT, height=_LINE_MM - (1 if small else 0))

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Label and value, two pairs on a line. A long value gets a line of its own."""
        lines: list[list[tuple[str, str]]] = []
        for pair in pairs:
            wide = len(pair[1]) > 22  # noqa: PLR2004  # letters that half a line holds
            if lines and not wide and len(lines[-1]) == 1 and len(lines[-1][0][1]) <= 22:  # noqa: PLR2004  # same
                lines[-1].append(pair)
            else:
                lines.append([pair])
        half = (1 - 2 * _LABEL_SHARE) / 2
        widths = (_LABEL_SHARE, half, _LABEL_SHARE, half)
        with self._table(widths, headings=0) as table:
            for line in lines:
                row = table.row()
                for label, value in line:
                    row.cell(_plain(label), style=FontFace(fill_color=_GREY))
                    row.cell(_plain(value), colspan=1 if len(line) > 1 else 3)

    def table(self, columns: Sequence[tuple[str, float]], rows: Iterable[Sequence[str]]) -> None:
        """Rows below headings that are repeated on every page.

        Args:
            columns: heading and share of the width.
            rows: as many texts as there are columns.
        """
        with self._table(tuple(share for _, share in columns), headings=1) as table:
            table.row([_plain(heading) for heading, _ in columns])
            for cells in rows:
                table.row([_plain(cell) for cell in cells])

    def pictures(self, pictures: Iterable[tuple[str, bytes]]) -> None:
        """Photos, two on a line, each with its caption below.

        Args:
            pictures: caption and bytes of each (JPEG or PNG).
        """
        self._pdf.ln(2)
        width = (self._pdf.epw - _GAP_MM) / 2
        left: list[tuple[str, bytes]] = list(pictures)
        while left:
            line, left = left[:2], left[2:]
            if self._pdf.get_y() + _PICTURE_MM + _LINE_MM > self._pdf.page_break_trigger:
                self._pdf.add_page()
            top = self._pdf.get_y()
            for place, (caption, content) in enumerate(line):
                x = self._pdf.l_margin + place * (width + _GAP_MM)
                self._pdf.image(BytesIO(content), x=x, y=top, w=width, h=_PICTURE_MM, keep_aspect_ratio=True)
                self._pdf.set_xy(x, top + _PICTURE_MM)
                self._pdf.set_font(_FONT, size=_SMALL_PT)
                self._pdf.cell(width, _LINE_MM, _plain(caption)[:48], align="C")
            self._pdf.set_xy(self._pdf.l_margin, top + _PICTURE_MM + _LINE_MM + 2)

    def signatures(self, roles: Sequence[str]) -> None:
        """Lines to sign on, with date."""
        self._pdf.ln(8)
        for role in roles:
            self._text(f"{role}:____________________    日期:________年____月____日", _TEXT_PT, height=9)

    def bytes(self) -> bytes:
        """The file."""
        return bytes(self._pdf.output())

    def _table(self, widths: Sequence[float], *, headings: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
        self._pdf.set_font(_FONT, size=_TEXT_PT)
        self._pdf.ln(0.5)
        return self._pdf.table(
            col_widths=tuple(widths), text_align="LEFT", line_height=_LINE_MM, padding=(0.6, 1.2),
            num_heading_rows=headings,
            borders_layout=TableBordersLayout.ALL, headings_style=FontFace(fill_color=_GREY, emphasis=""),
            first_row_as_headings=bool(headings),
        )  # fmt: skip

    def _text(self, text: str, size: float, *, height: float, align: str = "L") -> None:
        self._pdf.set_font(_FONT, size=size)
        self._pdf.multi_cell(0, height, _plain(text), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _plain(text: str) -> str:
    """Letters that the font has: small figures become figures, and nothing that steers the writing direction stays."""
    text = "".join(
        unicodedata.normalize("NFKC", letter) if unicodedata.decomposition(letter).startswith(("<sub>", "<super>"))
        and letter not in "²³" else letter
        for letter in text
    )  # fmt: skip
    return "".join(letter for letter in text if letter == "\n" or unicodedata.category(letter)[0] != "C")
