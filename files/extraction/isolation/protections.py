"""The level of the sandbox in words: what holds, what does not, and what an administrator can do about it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from files.extraction.isolation.confinement import SandboxLevel

_LINUX = "Run it on Linux: other systems do not have this."


@dataclass(frozen=True, slots=True)
class Protection:
    """One layer: its field in SandboxLevel, what it keeps a reader from, what to do where it is missing."""

    name: str
    keeps_from: str
    remedy: str
    essential: bool = False


PROTECTIONS = (
    Protection("limits", "more memory than its share", _LINUX, essential=True),
    Protection(
        "no_network",
        "the network",
        "Allow user namespaces (sysctl user.max_user_namespaces above 0) or seccomp in the container.",
        essential=True,
    ),
    Protection(
        "filesystem",
        "all files but its own",
        "Landlock is missing: take Linux 5.13 or newer with `landlock` in the boot parameter `lsm=`, or a container "
        "runtime whose seccomp profile lets it through.",
        essential=True,
    ),
    Protection(
        "system_calls",
        "rare system calls",
        "seccomp is missing: it works on Linux on x86-64 and 64-bit ARM, where the container runtime lets it through.",
    ),
    Protection("no_new_privileges", "new privileges", _LINUX),
    Protection("no_capabilities", "what root may do", "Run the worker as an ordinary account."),
    Protection(
        "processes",
        "starting processes without end",
        "Run the worker as an ordinary account (the kernel does not count root's) and allow user namespaces.",
    ),
    Protection("dies_with_parent", "outliving its worker", _LINUX),
)


def sentence_of(level: SandboxLevel) -> str:
    """Return one sentence or two: what files are read without, and what is not held back."""
    held = [each.keeps_from for each in PROTECTIONS if each.name not in level.missing]
    missing = [each.keeps_from for each in PROTECTIONS if each.name in level.missing]
    landlock = f" (Landlock {level.landlock_version})" if level.landlock_version else ""
    kept = f"Each file is read in a process of its own, kept from {_listed(held)}{landlock}."
    return f"{kept} Not kept from {_listed(missing)}." if missing else kept


def remedies_of(level: SandboxLevel) -> tuple[str, ...]:
    """Return what to do about what is missing, the most important first."""
    return tuple(dict.fromkeys(each.remedy for each in PROTECTIONS if each.name in level.missing))


def is_sufficient(level: SandboxLevel) -> bool:
    """Tell whether nothing essential is missing that this system could have."""
    return sys.platform != "linux" or not any(each.essential and each.name in level.missing for each in PROTECTIONS)


def _listed(phrases: list[str]) -> str:
    if len(phrases) < 2:
        return "".join(phrases) or "nothing"
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
