"""Searching the web."""

from tools.search.base import Search, SearchResult
from tools.search.searxng import Searxng

__all__ = ["Search", "SearchResult", "Searxng"]
