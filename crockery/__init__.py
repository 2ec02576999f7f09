"""Crockery."""
