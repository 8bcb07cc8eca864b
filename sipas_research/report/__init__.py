"""Documents for people: tables, figures, HTML, DOCX, PDF, XLSX. Reads results, never estimates."""
