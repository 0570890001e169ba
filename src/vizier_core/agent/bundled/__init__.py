"""The shims that come with the program (spec 07 §7): scripts to be found, not modules to be imported."""
