"""What a person sees: question, progress, reports, remarks."""
