"""Puts Prisma's WebAssembly modules into a wheel, so that what is installed from it needs no Node (docs/adr/0002)."""

from __future__ import annotations

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BundleWasm(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch, check and include the modules; an editable install takes them from the cache instead."""
        if self.target_name != "wheel" or version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from prisma.assets import ASSETS, BUNDLED, locate

            for name, asset in ASSETS.items():
                included = f"prisma/{BUNDLED.name}/{asset.file_name}"
                build_data["force_include"][str(locate(name, checked=True))] = included
        finally:
            sys.path.remove(self.root)
