"""The transport: channels over many NICs, scattered receive, and a payload that explains itself."""
