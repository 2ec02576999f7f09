"""SMTP: the sans-IO protocol (`wire`) and what is built upon it, the server, submission and the client."""
