"""Templates of Jinja, rendered alike everywhere: a name without a value is an error."""

import jinja2


def templates(package: str, *, html: bool = True) -> jinja2.Environment:
    """The templates in a package's folder `templates`.

    Args:
        package: Name of the package.
        html: Whether values are escaped, since they are plain text and never markup; text keeps
            the line end of its template.
    """
    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not html,
    )
