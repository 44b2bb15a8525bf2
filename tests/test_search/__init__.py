"""Tests of galleries in a database."""
