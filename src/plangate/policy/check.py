"""The whole check of a set of policies: parse, register, refuse hazards, find out what each rule reads."""

from plangate.policy.base import EMBEDDED
from plangate.policy.files import PolicyFiles
from plangate.policy.flow import rule_reads
from plangate.policy.hazards import check_program, replaces_input
from plangate.policy.index import Checked
from plangate.policy.parse import parse_modules
from plangate.policy.program import Program
from plangate.policy.reads import EVERYTHING
from plangate.policy.register import LIBRARY, RulePackage, check_facts, register
from plangate.policy.rule_settings import default_settings


def check_files(files: PolicyFiles, engine: str = EMBEDDED) -> tuple[Checked, ...]:
    """Every rule of these files, sorted by id.

    Args:
        files: All of them.
        engine: What is going to judge; OPA understands more than the embedded engine.

    Raises:
        PolicyLoadError: The first thing that is wrong, at its place.
    """
    modules = parse_modules(files.modules)
    registered: dict[str, RulePackage] = {}
    for module in modules:
        if module.package[: len(LIBRARY)] == LIBRARY:
            continue
        rule = register(module)
        twin = registered.get(rule.spec.id)
        if twin is not None:
            raise module.error(
                module.package_start,
                f'two rules have the id "{rule.spec.id}": the other is {twin.module.file}',
            )
        registered[rule.spec.id] = rule
    defaults = default_settings((rule.module.package[-1], rule.settings) for rule in registered.values())
    program = Program(modules, {**files.data, **defaults})
    check_program(program, engine)
    found = []
    blurred = {module.file for module in modules if replaces_input(module)}
    shared = bool(blurred - {rule.module.file for rule in registered.values()})
    for _, rule in sorted(registered.items()):
        if shared or rule.module.file in blurred:
            reads = EVERYTHING
        else:
            reads = rule_reads(program, rule.module.package, negations=engine == EMBEDDED)
        check_facts(rule, reads)
        found.append(
            Checked(
                spec=rule.spec,
                scope=rule.scope,
                package=".".join(rule.module.package),
                reads=reads,
                handles_unknowns=rule.handles_unknowns,
                settings=rule.settings,
            )
        )
    return tuple(found)
