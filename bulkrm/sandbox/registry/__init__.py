"""The registry of the sandbox: its resources, and the state behind them."""
