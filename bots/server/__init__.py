"""The HTTP server: personas behind OpenAI's chat-completions protocol, and a page to talk to them."""
