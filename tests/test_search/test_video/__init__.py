"""Tests of people in videos."""
