package check

default result := false

result if count(violations) == 0

entries := [{"mode": fields[0], "owner": fields[1], "group": fields[2], "path": fields[3]} |
	some line in split(input.files["inventory/modes.txt"], "\n")
	fields := split(line, "\t")
	count(fields) == 4
]

# Digits of an octal mode as numbers, the special bits first.
digits(mode) := [to_number(substring(mode, i, 1)) | some i in numbers.range(0, 3)]

within_mode(mode, most) if {
	own := digits(mode)
	every i in [0, 1, 2, 3] {
		bits.and(own[i], bits.xor(7, most[i])) == 0
	}
}

of_root(e) if {
	e.owner == "root"
	e.group == "root"
}

violations contains e.path if {
	some e in entries
	e.path == "/etc/ssh/sshd_config"
	not allowed(e, [0, 6, 0, 0])
}

violations contains e.path if {
	some e in entries
	regex.match(`^/etc/ssh/ssh_host_[^/]+_key\.pub$`, e.path)
	not allowed(e, [0, 6, 4, 4])
}

violations contains e.path if {
	some e in entries
	regex.match(`^/etc/ssh/ssh_host_[^/]+_key$`, e.path)
	not private(e)
}

allowed(e, most) if {
	of_root(e)
	within_mode(e.mode, most)
}

private(e) if {
	e.owner == "root"
	within_mode(e.mode, [0, 6, 0, 0])
}

private(e) if {
	e.owner == "root"
	e.group == "ssh_keys"
	within_mode(e.mode, [0, 6, 4, 0])
}
