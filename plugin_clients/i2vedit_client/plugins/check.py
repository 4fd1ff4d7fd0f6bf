"""What the doctor says of plugins."""

from i2vedit_client.counting import counted
from i2vedit_client.finding import Finding
from i2vedit_client.plugins.hosts import PLUGINS
from i2vedit_client.plugins.install import launcher_answers, state
from i2vedit_client.plugins.machine import Machine


def plugin_findings(machine: Machine) -> list[Finding]:
    """One for each installed plugin, and one that names the hosts without. A host without its plugin is no fault."""
    states = [state(host, machine) for host in PLUGINS]
    installed = [each for each in states if each.installed or each.problem]
    works = launcher_answers(machine) if installed else True
    findings = []
    for each in installed:
        problem = each.problem or ("" if works else "its launcher does not run")
        detail = problem or f"{counted(len(each.installed), 'file')} in place"
        findings.append(Finding(f"plugin {each.host}", not problem, detail, f"Run: i2vedit plugins install {each.host}"))
    without = [each.host for each in states if each.found and each not in installed]
    if without or not installed:
        findings.append(Finding("plugins", True, f"not installed: {', '.join(without)}" if without else "no host found"))
    return findings
