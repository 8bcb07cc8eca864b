"""Surveys: questionnaire, agencies, reading, checking, responses; the twin."""
