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

# What each file may have at most, digit by digit.
most := {"/etc/passwd": [0, 6, 4, 4], "/etc/group": [0, 6, 4, 4], "/etc/shadow": [0, 6, 0, 0], "/etc/gshadow": [0, 6, 0, 0]}

closed(path) if {
	some e in entries
	e.path == path
	e.owner == "root"
	e.group == "root"
	own := digits(e.mode)
	every i in [0, 1, 2, 3] {
		bits.and(own[i], bits.xor(7, most[path][i])) == 0
	}
}

violations contains path if {
	some path, _ in most
	not closed(path)
}
