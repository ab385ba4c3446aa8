"""The Discord bot: personas that answer in the channels of a server."""
