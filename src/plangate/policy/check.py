"""The whole check of a set of policies: parse, register, refuse hazards, find out what each rule reads."""

from plangate.policy.files import PolicyFiles
from plangate.policy.flow import rule_reads
from plangate.policy.hazards import check_program
from plangate.policy.index import Checked
from plangate.policy.parse import parse_modules
from plangate.policy.program import Program
from plangate.policy.register import LIBRARY, RulePackage, check_facts, register
from plangate.policy.rule_settings import default_settings


def check_files(files: PolicyFiles) -> tuple[Checked, ...]:
    """Every rule of these files, sorted by id.

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
    check_program(program)
    found = []
    for _, rule in sorted(registered.items()):
        reads = rule_reads(program, rule.module.package)
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
