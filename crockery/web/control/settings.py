"""The resource `settings`."""

from crockery.actions.settings import change_setting
from crockery.projections.settings import BY_NAME, SETTINGS
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request


def list_settings(context: Context, request: Request) -> Json:
    """All settings with their values, defaults and what they do."""
    return {"items": [_describe(context, setting.name) for setting in SETTINGS]}


def change(context: Context, request: Request, name: str) -> Json:
    """Give a setting a value; null is the default."""
    if "value" not in request.body:
        raise bad_request("the request needs a value; null is the default")
    value = request.body["value"]
    if not isinstance(value, str | int | bool | None):
        raise bad_request("a value is a text, a number, true, false or null")
    change_setting(context.store, request.actor, name, value)
    return _describe(context, name)


def _describe(context: Context, name: str) -> Json:
    setting = BY_NAME[name]
    values = context.store.state.settings
    value = values.hostname if name == "hostname" else values.get(name)
    changed = values.values.get(name) is not None
    return {"name": name, "value": value, "default": setting.default, "changed": changed, "help": setting.help}
