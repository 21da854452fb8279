"""Tools of others, named in `tools.yaml`: any LangChain `BaseTool`, any MCP server's; each with an effect class."""
