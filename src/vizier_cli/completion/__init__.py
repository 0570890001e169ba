"""Completion of command lines: the scripts that shells evaluate, and the answers that those ask for (spec 09 §9).

What stands on the command line is read by the same declarations as the parser, the help and the manual pages. Kept
apart from everything that imports much: a shell asks at every press of a key.
"""
