"""Extensions: how they are found and checked."""
