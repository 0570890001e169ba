"""Configuration: which files, how they merge, what they mean (spec 07 §2)."""

from vizier_core.config.locate import ConfigFile, base_config_directory, locate_config_files
from vizier_core.config.settings import Settings, load_settings

__all__ = ["ConfigFile", "Settings", "base_config_directory", "load_settings", "locate_config_files"]
