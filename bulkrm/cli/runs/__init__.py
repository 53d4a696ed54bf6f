"""The recorded runs, as `bulkrm runs` shows them."""
