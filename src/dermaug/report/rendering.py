"""Pages from the templates: everything that comes from a run is escaped."""

from typing import Any

import jinja2


def rendered(template: str, **values: Any) -> str:  # noqa: ANN401
    """The HTML of a template; a value that it lacks is an error.

    Args:
        template: File name in `templates/`.
        values: By the names that the template uses.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dermaug.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
