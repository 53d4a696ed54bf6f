"""What a killed run left in flight is reconciled; what a run deleted is put back."""
