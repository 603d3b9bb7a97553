"""The names of values that a template shows, as Jinja reads them."""

from __future__ import annotations

import jinja2
from jinja2 import meta, nodes


def names_shown(environment: jinja2.Environment, name: str) -> set[str]:
    """The names that a template, and those that it includes or extends, take from outside."""
    assert environment.loader is not None
    tree = environment.parse(environment.loader.get_source(environment, name)[0])
    set_here = {
        target.name
        for assigned in tree.find_all((nodes.Assign, nodes.AssignBlock))
        for target in assigned.find_all(nodes.Name)
        if target.ctx == "store"
    }
    imported = {template.target for template in tree.find_all(nodes.Import)}
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}
    shown = meta.find_undeclared_variables(tree) - {*environment.globals}
    shown -= set_here | imported | macros
    for other in tree.find_all((nodes.Extends, nodes.Include)):
        assert isinstance(other, nodes.Extends | nodes.Include)
        assert isinstance(other.template, nodes.Const)
        shown |= names_shown(environment, other.template.value)
    return shown
