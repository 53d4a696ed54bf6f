"""What the specifications say: challenges, tokens, messages, when to send again. Decisions only; `client` acts."""
