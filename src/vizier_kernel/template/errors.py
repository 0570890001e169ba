"""What can be wrong with a template or with the inputs of a flow."""


class TemplateError(Exception):
    """Bad input: the template, something it imports, or what the operator gave it.

    The message is complete and made for the operator; it may have several lines.
    """


class ImportedTemplateError(TemplateError):
    """An error inside an imported template; the message names the imports that lead to it."""
