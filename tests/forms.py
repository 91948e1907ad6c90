"""Forms with sections, as a browser fills them in and shows them."""

from homeassistant.data_entry_flow import section


def filled(form: dict, **data: object) -> dict:
    """Put what is filled in into the sections of the form."""
    sections = {
        str(key): {str(inner) for inner in value.schema.schema}
        for key, value in form["data_schema"].schema.items()
        if isinstance(value, section)
    }
    answers: dict = {name: {} for name in sections}
    for name, value in data.items():
        where = next((key for key, fields in sections.items() if name in fields), None)
        (answers if where is None else answers[where])[name] = value
    return answers


def suggestions(form: dict) -> dict[str, object]:
    """What the form shows, sections and all."""
    found: dict[str, object] = {}
    for key, value in form["data_schema"].schema.items():
        if isinstance(value, section):
            found |= suggestions({"data_schema": value.schema})
        else:
            found[str(key)] = (key.description or {}).get("suggested_value")
    return found
