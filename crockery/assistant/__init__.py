"""Conversation by mail."""
