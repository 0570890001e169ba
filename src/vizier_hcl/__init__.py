r"""The template language: HCL text in, plain values or diagnostics out (spec 05).

The stages, in the order in which a file passes them: `source` (bytes to text), `lexer` (text to `tokens`), `parser`
with `expressions` and `templates` (tokens to the `syntax` tree), `bodies` with `evaluator` and `renderer` (tree to
`values`), `plain` (values to the tree that is delivered). Files that spell out every value take a short cut: `spelled`.

Example::

    document = evaluate(b'id = "template.x"\nparams { target = "src" }\n', display_path="x.hcl")
    document.value                             # {"id": "template.x", "params": {"target": "src"}}
    document.position(("params", "target"))    # Position(line=2, column=19)
"""

from vizier_hcl.diagnostics import Diagnostic, HclError, Position, Severity, render
from vizier_hcl.document import Document, Path, Plain
from vizier_hcl.evaluate import evaluate, top_level_strings

__all__ = [
    "Diagnostic",
    "Document",
    "HclError",
    "Path",
    "Plain",
    "Position",
    "Severity",
    "evaluate",
    "render",
    "top_level_strings",
]
