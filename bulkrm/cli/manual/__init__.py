"""`bulkrm help`: the pages of the manual, and how a terminal shows them."""
