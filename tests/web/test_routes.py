"""The table of routes, and the page that tells of it."""

import re

import pytest

from crockery.web import control
from crockery.web.control.routes import ROUTES, Route


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_every_route_is_told_of(route: Route) -> None:
    path = re.sub(r"\{\w+\}", "[A-Z]+", route.template)
    assert control.__doc__ is not None
    assert re.search(rf"\b{route.method} +{path}(?![\w/-])", control.__doc__)
