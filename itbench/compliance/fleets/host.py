"""Settings of a hardened host in the manner of RHEL 9, as text files below the folder that stands for its root.

Owners and modes cannot be kept as such (git keeps none), so they stand in inventory/modes.txt: mode, owner, group, path.
"""

from __future__ import annotations

import numpy as np

from itbench.compliance.fleets.words import chance, pick


def host(rng: np.random.Generator) -> dict[str, str]:
    """sshd, sysctl, auditd and file modes, as paths to texts."""
    return {
        "etc/ssh/sshd_config": _sshd(rng),
        "etc/ssh/sshd_config.d/50-site.conf": f"# site\nBanner /etc/issue.net\nMaxSessions {int(rng.integers(2, 10))}\n",
        "etc/sysctl.d/60-hardening.conf": _sysctl(rng),
        "etc/sysctl.d/90-site.conf": f"# site settings\nvm.swappiness = {int(rng.integers(10, 60))}\n",
        "etc/audit/auditd.conf": _auditd(rng),
        "etc/audit/rules.d/50-base.rules": _rules(rng),
        "etc/login.defs": f"# login\nPASS_MAX_DAYS\t{int(rng.integers(60, 365))}\nPASS_MIN_DAYS\t1\nPASS_WARN_AGE\t7\n",
        "inventory/modes.txt": _modes(rng),
    }


def host_root(rng: np.random.Generator) -> dict[str, str]:
    """The same settings for a folder that really stands for the root, with modes that are really set.

    Owners are left out: only root could set them. Lines of inventory/modes.txt are mode and path, a folder's with a slash.
    """
    entries = [
        (pick(rng, ("0644", "0640", "0444")), "/etc/passwd"),
        ("0644", "/etc/group"),
        (pick(rng, ("0000", "0400", "0600")), "/etc/shadow"),
        ("0000", "/etc/gshadow"),
        ("0600", "/etc/ssh/sshd_config"),
        ("0600", "/etc/ssh/ssh_host_ed25519_key"),
        ("0640", "/etc/ssh/ssh_host_rsa_key"),
        ("0644", "/etc/ssh/ssh_host_ed25519_key.pub"),
        (pick(rng, ("0600", "0640")), "/etc/audit/auditd.conf"),
        (pick(rng, ("0700", "0750")), "/var/log/audit/"),
        ("0600", "/var/log/audit/audit.log"),
        ("0700", "/etc/cron.d/"),
    ]
    modes = "".join("\t".join(entries[index]) + "\n" for index in rng.permutation(len(entries)))
    return host(rng) | {"inventory/modes.txt": modes}


def _sshd(rng: np.random.Generator) -> str:
    settings = [
        "Port 22",
        "PermitRootLogin no",
        "X11Forwarding no",
        "PasswordAuthentication no",
        "PermitEmptyPasswords no",
        f"MaxAuthTries {int(rng.integers(2, 5))}",
        f"LoginGraceTime {int(rng.integers(30, 61))}",
        "LogLevel VERBOSE",
        "Subsystem sftp internal-sftp",
    ]
    lines = [settings[index] for index in rng.permutation(len(settings))]
    if chance(rng, 0.5):  # keywords are read whatever their case, values may follow an equals sign or be quoted
        other = {"PermitRootLogin no": 'permitrootlogin "no"', "X11Forwarding no": "x11forwarding=no"}
        lines = [other.get(line, line) for line in lines]
    head = [
        "# sshd of a hardened host",
        "#PermitRootLogin yes",
        "#X11Forwarding yes",
        "Include /etc/ssh/sshd_config.d/*.conf",
    ]
    return "\n".join([*head, *lines]) + "\n"


def _sysctl(rng: np.random.Generator) -> str:
    settings = {
        "net.ipv4.ip_forward": 0,
        "net.ipv4.conf.all.accept_redirects": 0,
        "net.ipv4.conf.default.accept_redirects": 0,
        "net.ipv4.conf.all.send_redirects": 0,
        "net.ipv4.tcp_syncookies": 1,
        "kernel.randomize_va_space": 2,
    }
    sign = pick(rng, (" = ", "="))
    keys = [list(settings)[index] for index in rng.permutation(len(settings))]
    if chance(rng, 0.3):  # the other way to write it
        keys = [key.replace(".", "/") for key in keys]
    return "# hardening\n; old: net.ipv4.ip_forward = 1\n" + "".join(
        f"{key}{sign}{settings[key.replace('/', '.')]}\n" for key in keys
    )


def _auditd(rng: np.random.Generator) -> str:
    lines = [
        "log_file = /var/log/audit/audit.log",
        f"max_log_file = {int(rng.integers(8, 64))}",
        "max_log_file_action = keep_logs",
        f"space_left_action = {pick(rng, ('email', 'exec', 'single', 'halt'))}",
        f"admin_space_left_action = {pick(rng, ('single', 'halt'))}",
        f"disk_full_action = {pick(rng, ('single', 'halt'))}",
    ]
    return "\n".join(lines[index] for index in rng.permutation(len(lines))) + "\n"


def _rules(rng: np.random.Generator) -> str:
    watched = ("/etc/group", "/etc/passwd", "/etc/gshadow", "/etc/shadow", "/etc/security/opasswd")
    identity = [f"-w {watched[index]} -p wa -k identity" for index in rng.permutation(len(watched))]
    calls = "adjtimex,settimeofday,clock_settime"
    time = [f"-a always,exit -F arch=b64 -S {calls} -k time-change", "-w /etc/localtime -p wa -k time-change"]
    sudo = ["-w /etc/sudoers -p wa -k scope", "-w /etc/sudoers.d -p wa -k scope"]
    return "\n".join(["# rules", "-D", "-b 8192", *identity, *time, *sudo]) + "\n"


def _modes(rng: np.random.Generator) -> str:
    entries = [
        (pick(rng, ("0644", "0640", "0444")), "root", "root", "/etc/passwd"),
        ("0644", "root", "root", "/etc/group"),
        (pick(rng, ("0000", "0400", "0600")), "root", "root", "/etc/shadow"),
        ("0000", "root", "root", "/etc/gshadow"),
        ("0600", "root", "root", "/etc/ssh/sshd_config"),
        ("0600", "root", "root", "/etc/ssh/ssh_host_ed25519_key"),
        ("0640", "root", "ssh_keys", "/etc/ssh/ssh_host_rsa_key"),
        ("0644", "root", "root", "/etc/ssh/ssh_host_ed25519_key.pub"),
        ("0700", "root", "root", "/var/log/audit"),
        ("0755", "root", "root", "/usr/bin"),
        ("4755", "root", "root", "/usr/bin/sudo"),
        ("1777", "root", "root", "/tmp"),  # noqa: S108 - a line of an inventory
    ]
    return "".join("\t".join(entries[index]) + "\n" for index in rng.permutation(len(entries)))
