"""Extensions: how they are found, and whether one can be used."""
