"""OpenAI's chat completions over our runs. What is taken, ignored and refused: docs/openai.md."""
