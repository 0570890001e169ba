"""Text to tokens (spec 05 §3, §4, §5).

The lexer walks the text once. What it stands in is kept in a list of open frames: a quoted string, a sequence (``${…}``
or ``%{…}``) inside it, a quoted string inside that, and so on to any depth; no frame at all means plain code. The first
error ends it, with one exception: inside a sequence an error waits until the sequence has closed, because a sequence
that never closes is what is really wrong, and everything found behind its opening is a consequence.
"""

import re
from typing import Final

from vizier_hcl.diagnostics import SourceError, quoted
from vizier_hcl.heredoc import Terminators
from vizier_hcl.limits import MAX_DIAGNOSTICS
from vizier_hcl.names import name_end
from vizier_hcl.tokens import CLOSING, OPENING, STRIP_MARKER, Token, TokenKind

_CODE: Final = re.compile(
    r"""[ \t]*+(?:
      (?P<newline>\r?\n)
    | (?P<name>[A-Za-z_][A-Za-z0-9_-]*+(?![^\x00-\x7F]))
    | (?P<mixed_name>[A-Za-z_])
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?)
    | (?P<string>"(?:[^"\\$%\r\n]|\$\$\{)*+")
    | (?P<quote>")
    | (?P<line_comment>\#|//)
    | (?P<block_comment>/\*)
    | (?P<heredoc><<-?)
    | (?P<strip_close>~\})
    | (?P<fixed>[$%]\{|&&|\|\||==|!=|<=|>=|=>|\.\.\.|[-+*/%!<>?:={}\[\]().,])
    )""",
    re.VERBOSE,
)
_REST_OF_LINE: Final = re.compile(r"[^\r\n]*")
_REST_BEFORE_BRACKET: Final = re.compile(r"[^\r\n\[\](){}]*")
_LONE_CARRIAGE_RETURN: Final = re.compile(r"\r(?!\n)")
_HEREDOC_LINE_END: Final = re.compile(r"[ \t]*(\r?\n)?")

#: What both kinds of literal text share: an escaped sequence, a real one, and `$` or `%` that mean themselves.
_SEQUENCES: Final = r"(?P<escaped>\$\$\{|%%\{)|(?P<open>[$%]\{~?)|(?P<ordinary>[$%])"
_QUOTED_TEXT: Final = re.compile(
    r"""(?P<plain>[^"\\$%\r\n]+)|(?P<close>")|(?P<escape>\\[^\r\n])|(?P<backslash>\\)|(?P<line_break>\r?\n|\r)|"""
    + _SEQUENCES
)
_HEREDOC_TEXT: Final = re.compile(r"(?P<plain>[^$%\r]+|\r\n)|(?P<line_break>\r)|" + _SEQUENCES)

_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "r": "\r", "t": "\t"}
_UNICODE_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_FIXED: Final = {kind.value: kind for kind in TokenKind}
# To look up a member of an enumeration takes longer than to make the token.
_NAME: Final = TokenKind.NAME
_NEWLINE: Final = TokenKind.NEWLINE
_QUOTE_OPEN: Final = TokenKind.QUOTE_OPEN
_TEXT: Final = TokenKind.TEXT
_QUOTE_CLOSE: Final = TokenKind.QUOTE_CLOSE


class _Text:
    """An open quoted string or heredoc: where it opened, and the literal text since its last sequence."""

    __slots__ = ("pieces", "start", "text_start")

    def __init__(self, start: int, text_start: int) -> None:
        self.start = start
        self.text_start = text_start
        self.pieces: list[str] = []


class _Quoted(_Text):
    """An open quoted string."""

    __slots__ = ()


class _Heredoc(_Text):
    """An open heredoc; its body ends at the lexer's limit."""

    __slots__ = ("outer_limit", "resume")

    def __init__(self, start: int, text_start: int, resume: int, outer_limit: int) -> None:
        super().__init__(start, text_start)
        self.resume = resume  # Behind the terminator.
        self.outer_limit = outer_limit


class _Sequence:
    """An open ``${…}`` or ``%{…}``."""

    __slots__ = ("depth", "held", "kind", "multiline", "start")

    def __init__(self, kind: TokenKind, start: int) -> None:
        self.kind = kind
        self.start = start
        self.depth = 0  # Open brackets; its closing brace is the first one at depth 0.
        self.multiline = False  # A line break came since it opened.
        self.held: SourceError | None = None  # The first error inside, to be raised when it closes.


class Lexer:
    """Turns one text into tokens, the last of which is `TokenKind.END`."""

    def __init__(self, text: str) -> None:
        #: Offset and text of what deserves a warning.
        self.warnings: list[tuple[int, str]] = []
        self._text = text
        self._at = 0
        self._limit = len(text)  # The end of the innermost heredoc's body, else of the text.
        self._frames: list[_Text | _Sequence] = []
        self._tokens: list[Token] = []
        self._terminators = Terminators(text)
        self._no_comment_end_before = 0  # Up to this offset no `*/` follows any more; spares searching for it again.

    def tokens(self) -> list[Token]:
        """All tokens of the text.

        Raises:
            SourceError: the first lexical error.
        """
        while True:
            frame = self._frames[-1] if self._frames else None
            if isinstance(frame, _Heredoc):
                self._lex_heredoc_text(frame)
            elif self._at < self._limit:
                if isinstance(frame, _Text):
                    self._lex_quoted_text(frame)
                else:
                    self._lex_code(frame)
            elif self._frames:
                self._unterminated()
            else:
                self._add(TokenKind.END, self._limit, self._limit)
                return self._tokens

    # Shared by all frames

    def _add(self, kind: TokenKind, start: int, end: int, text: str = "") -> None:
        self._tokens.append(Token(kind, start, end, text))

    def _error(self, offset: int, message: str) -> None:
        """Raises an error, or keeps it until the sequence around it has closed."""
        self._raise_or_hold(SourceError(offset, message))

    def _raise_or_hold(self, error: SourceError) -> None:
        for frame in reversed(self._frames):
            if isinstance(frame, _Sequence):
                frame.held = frame.held or error
                return
        raise error

    def _lone_carriage_return(self, offset: int) -> None:
        self._error(offset, "carriage return without a line feed")

    def _unterminated(self) -> None:
        """Reports what is open at the limit: the outermost sequence within the innermost heredoc, else the string."""
        base = len(self._frames)
        while base and not isinstance(self._frames[base - 1], _Heredoc):
            base -= 1
        sequence = next((frame for frame in self._frames[base:] if isinstance(frame, _Sequence)), None)
        if sequence is None:
            raise SourceError(self._frames[base].start, 'unterminated string literal: expected `"` on the same line')
        del self._frames[base:]
        what = "interpolation" if sequence.kind is TokenKind.INTERPOLATION_OPEN else "directive"
        hint = f"write `{sequence.kind[0]}{sequence.kind}` for a literal `{sequence.kind}`"
        self._error(sequence.start, f"unterminated template {what} sequence: expected a matching `}}`; {hint}")

    # Code

    def _lex_code(self, sequence: _Sequence | None) -> None:
        """Lexes plain code or a sequence's body, up to where something else begins or ends."""
        frames, text, limit, append = self._frames, self._text, self._limit, self._tokens.append
        open_frames = len(frames)
        while self._at < limit and len(frames) == open_frames:
            match = _CODE.match(text, self._at, limit)
            group = match.lastgroup if match else None
            if match is None or group is None:
                self._lex_other(self._at)
                continue
            start, end = match.span(group)
            self._at = end
            if group == "name":
                append(Token(_NAME, start, end, match[group]))
            elif group == "string":
                self._lex_plain_string(start, end)
            elif sequence is None and group == "newline":
                append(Token(_NEWLINE, start, end, ""))
            elif sequence is None and group == "fixed":
                fixed = match[group]
                append(Token(_FIXED[fixed], start, end, fixed))
            else:
                self._lex_rare(sequence, match, group)

    def _lex_rare(self, sequence: _Sequence | None, match: re.Match[str], group: str) -> None:
        """Lexes what is less common."""
        start, end = match.span(group)
        if group == "fixed":
            self._lex_fixed(sequence, _FIXED[match[group]], start, end)
        elif group == "newline":
            self._lex_newline(sequence, start, end)
        elif group == "quote":
            self._add(TokenKind.QUOTE_OPEN, start, end)
            self._frames.append(_Quoted(start, end))
        elif group in ("number", "exponent"):
            self._lex_number(match.start("number"), end, has_exponent=group == "exponent")
        elif group == "line_comment":
            self._lex_line_comment(sequence, end)
        elif group == "block_comment":
            self._lex_block_comment(sequence, start)
        elif group == "heredoc":
            self._lex_heredoc_opening(start, end)
        elif group == "mixed_name":
            self._lex_name(start)
        else:
            self._lex_strip_close(sequence, start, end)

    def _lex_other(self, at: int) -> None:
        """Blanks before the limit, a name that starts with a letter beyond ASCII, or what has no place here."""
        while at < self._limit and self._text[at] in " \t":
            at += 1
        self._at = at
        if at == self._limit:
            return
        if name_end(self._text, at, self._limit) > at:
            self._lex_name(at)
            return
        self._at = at + 1
        character = self._text[at]
        if character == "\r":
            self._lone_carriage_return(at)
        else:
            hint = '; strings are written in double quotes `"`' if character in "'`" else ""
            self._error(at, f"unexpected character {quoted(character)}{hint}")

    def _lex_name(self, start: int) -> None:
        self._at = name_end(self._text, start, self._limit)
        self._add(TokenKind.NAME, start, self._at, self._text[start : self._at])

    def _lex_plain_string(self, start: int, end: int) -> None:
        """A whole string without escapes and sequences, but for escaped openings of sequences."""
        append = self._tokens.append
        append(Token(_QUOTE_OPEN, start, start + 1, ""))
        if end - start > 2:  # More than the quotes.
            append(Token(_TEXT, start + 1, end - 1, self._text[start + 1 : end - 1].replace("$${", "${")))
        append(Token(_QUOTE_CLOSE, end - 1, end, ""))

    def _lex_number(self, start: int, end: int, *, has_exponent: bool) -> None:
        if not has_exponent and end < self._limit and self._text[end] in "eE":
            self._error(end, "exponent is missing digits")
            self._at = end + 1
        self._add(TokenKind.NUMBER, start, end, self._text[start:end])

    def _lex_newline(self, sequence: _Sequence | None, start: int, end: int) -> None:
        if sequence:
            sequence.multiline = True
        self._add(TokenKind.NEWLINE, start, end)

    def _lex_fixed(self, sequence: _Sequence | None, kind: TokenKind, start: int, end: int) -> None:
        if sequence:
            if kind is TokenKind.BRACE_CLOSE and sequence.depth == 0:
                self._close_sequence(sequence, start, end)
                return
            if kind in OPENING or kind in (TokenKind.INTERPOLATION_OPEN, TokenKind.DIRECTIVE_OPEN):
                sequence.depth += 1
            elif kind in CLOSING:
                sequence.depth = max(0, sequence.depth - 1)
        self._add(kind, start, end, self._text[start:end])

    def _lex_strip_close(self, sequence: _Sequence | None, start: int, end: int) -> None:
        if sequence and sequence.depth == 0:
            self._close_sequence(sequence, start, end)
        else:
            self._at = start + 1
            self._error(start, f"unexpected character {quoted(STRIP_MARKER)}")

    def _close_sequence(self, sequence: _Sequence, start: int, end: int) -> None:
        self._add(TokenKind.SEQUENCE_CLOSE, start, end, self._text[start:end])
        self._frames.pop()
        around = self._frames[-1]
        if isinstance(around, _Text):
            around.text_start = end
        if sequence.held:
            self._raise_or_hold(sequence.held)
        if sequence.multiline:
            outer = next((frame for frame in reversed(self._frames) if isinstance(frame, _Sequence)), None)
            if outer:
                outer.multiline = True

    def _lex_line_comment(self, sequence: _Sequence | None, start: int) -> None:
        """A comment up to the end of the line, which stays to be lexed as a newline."""
        if sequence and not sequence.multiline:
            # Nothing but a brace behind the comment can close the sequence on this line, as in "${#name}".
            self._at = self._end_of_comment_in_sequence(sequence.depth, start)
        else:
            self._at = self._end_of(_REST_OF_LINE, start)

    def _end_of_comment_in_sequence(self, depth: int, start: int) -> int:
        """The end of the line, or the brace before it that closes a sequence with so many brackets open."""
        at = self._end_of(_REST_BEFORE_BRACKET, start)
        while at < self._limit and (bracket := self._text[at]) not in "\r\n":
            if bracket == "}" and depth == 0:
                return at - 1 if at > start and self._text[at - 1] == STRIP_MARKER else at
            depth = depth + 1 if bracket in "{[(" else max(0, depth - 1)
            at = self._end_of(_REST_BEFORE_BRACKET, at + 1)
        return at

    def _end_of(self, pattern: re.Pattern[str], start: int) -> int:
        """Where a pattern that also matches the empty text stops matching."""
        match = pattern.match(self._text, start, self._limit)
        return match.end() if match else start

    def _lex_block_comment(self, sequence: _Sequence | None, start: int) -> None:
        close = -1 if self._limit <= self._no_comment_end_before else self._text.find("*/", start + 2, self._limit)
        if close < 0:
            self._no_comment_end_before = self._limit
            self._error(start, "unterminated inline comment: expected `*/`")
            return
        self._at = close + 2
        lone = _LONE_CARRIAGE_RETURN.search(self._text, start, close)
        if lone:
            self._lone_carriage_return(lone.start())
        if sequence and self._text.find("\n", start, close) >= 0:
            sequence.multiline = True

    # Quoted strings

    def _lex_quoted_text(self, frame: _Text) -> None:
        """Lexes literal text up to the closing quote, a sequence or the limit."""
        while self._at < self._limit:
            found = _QUOTED_TEXT.match(self._text, self._at, self._limit)
            assert found  # The pattern covers every character.
            start, end = found.span()
            self._at = end
            match found.lastgroup:
                case "plain" | "ordinary":
                    frame.pieces.append(found[0])
                case "escape":
                    frame.pieces.append(self._escape(start))
                case "escaped":
                    frame.pieces.append(found[0][1:])
                case "open":
                    self._open_sequence(frame, start, end)
                    return
                case "close":
                    self._flush_text(frame, start)
                    self._add(TokenKind.QUOTE_CLOSE, start, end)
                    self._frames.pop()
                    return
                case "line_break":
                    self._break_in_string(start, found[0])
                case "backslash":
                    pass  # It stands before a line break, which is the error.

    def _break_in_string(self, start: int, line_break: str) -> None:
        # Inside a sequence the string goes on across the line: only its end tells where the sequence ends.
        if line_break == "\r":
            self._lone_carriage_return(start)
        else:
            hint = 'expected `"` on the same line; use a heredoc for several lines'
            self._error(start, f"newline in string: unterminated string literal, {hint}")

    def _escape(self, start: int) -> str:
        """The value of the escape at ``start``; moves behind it."""
        letter = self._text[start + 1]
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter in "uU":
            return self._unicode_escape(start)
        if len(self.warnings) < MAX_DIAGNOSTICS and not (letter in "$%" and self._text.startswith("{", start + 2)):
            shown = quoted("\\" + letter)
            self.warnings.append(
                (start, f"unknown escape {shown}: the backslash is dropped; write `\\\\` for a backslash")
            )
        # A character beyond the escape letters stands for itself; one like `$` must not open a sequence any more.
        return letter

    def _unicode_escape(self, start: int) -> str:
        digits = "4 hex digits" if self._text[start + 1] == "u" else "8 hex digits"
        match = _UNICODE_ESCAPE.match(self._text, start, self._limit)
        if match is None:
            self._error(
                start, f"invalid unicode escape: expected {digits} after {quoted(self._text[start : start + 2])}"
            )
            return ""
        self._at = match.end()
        code = int(match[1] or match[2], 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            self._error(start, f"invalid unicode escape {quoted(match[0])}: not a Unicode scalar value")
            return ""
        return chr(code)

    # Heredocs

    def _lex_heredoc_opening(self, start: int, end: int) -> None:
        marker_end = name_end(self._text, end, self._limit)
        if marker_end == end:
            # No heredoc but two comparison operators, which the parser refuses.
            self._add(TokenKind.LESS, start, start + 1, "<")
            self._add(TokenKind.LESS, start + 1, start + 2, "<")
            self._at = start + 2
            return
        marker = self._text[end:marker_end]
        line_end = _HEREDOC_LINE_END.match(self._text, marker_end, self._limit)
        assert line_end  # The pattern matches the empty text.
        self._at = line_end.end()
        if line_end[1] is None and self._at < self._limit:
            self._error(end, f"expected a newline right after the heredoc marker {quoted(marker)}")
            return
        terminator = self._terminators.find(marker, self._at, self._limit)
        if terminator is None:
            self._error(start, f"unterminated heredoc template: expected a line that is exactly {quoted(marker)}")
            return
        self._add(TokenKind.HEREDOC_OPEN, start, end, self._text[start:end])
        self._frames.append(_Heredoc(start, self._at, terminator.end, self._limit))
        self._limit = terminator.line_start

    def _lex_heredoc_text(self, frame: _Heredoc) -> None:
        """Lexes literal text up to a sequence or the end of the body."""
        while self._at < self._limit:
            found = _HEREDOC_TEXT.match(self._text, self._at, self._limit)
            assert found  # The pattern covers every character.
            start, end = found.span()
            self._at = end
            match found.lastgroup:
                case "plain" | "ordinary":
                    frame.pieces.append(found[0])
                case "escaped":
                    frame.pieces.append(found[0][1:])
                case "open":
                    self._open_sequence(frame, start, end)
                    return
                case "line_break":
                    self._lone_carriage_return(start)
        self._flush_text(frame, self._limit)
        self._frames.pop()
        self._add(TokenKind.HEREDOC_CLOSE, self._limit, frame.resume)
        self._at = frame.resume
        self._limit = frame.outer_limit

    # Literal text of both kinds

    def _open_sequence(self, frame: _Text, start: int, end: int) -> None:
        self._flush_text(frame, start)
        opening = self._text[start:end]
        kind = TokenKind.INTERPOLATION_OPEN if opening[0] == "$" else TokenKind.DIRECTIVE_OPEN
        self._add(kind, start, end, opening)
        self._frames.append(_Sequence(kind, start))

    def _flush_text(self, frame: _Text, end: int) -> None:
        """Adds the token for the literal text since the last sequence; empty text has none."""
        if frame.pieces:
            self._add(TokenKind.TEXT, frame.text_start, end, "".join(frame.pieces))
            frame.pieces.clear()
