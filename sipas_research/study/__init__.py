"""Study folders, plans and papermill runs."""
