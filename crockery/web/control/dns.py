"""The resource `dns`: the records to publish."""

from crockery.domain.records import Record, form_name, wanted_records, zone_line
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request


def list_records(context: Context, request: Request) -> Json:
    """All records to publish; `address` in the query: the machine's public addresses, separated by commas."""
    state = context.store.state
    addresses = [address for address in request.query.get("address", "").split(",") if address]
    if not state.settings.domain:
        raise bad_request("this log has no domain yet")
    smart = state.smart_host.current
    records = wanted_records(state.settings, state.signing, addresses, smart.host if smart is not None else "")
    return {"domain": state.settings.domain, "items": [_describe(record, state.settings.domain) for record in records]}


def _describe(record: Record, domain: str) -> Json:
    return {**record._asdict(), "form_name": form_name(record, domain), "zone": zone_line(record)}
