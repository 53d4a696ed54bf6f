"""`bulkrm runs`: summaries of recorded runs, their list, their details, and the deletion of old records."""
