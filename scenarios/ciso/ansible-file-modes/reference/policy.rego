package check

default result := false

result if {
	count(input.modes) > 0
	count(violations) == 0
}

# Digits of an octal mode as numbers, the special bits first.
digits(mode) := [to_number(substring(mode, i, 1)) | some i in numbers.range(0, 3)]

within_mode(mode, most) if {
	own := digits(mode)
	every i in [0, 1, 2, 3] {
		bits.and(own[i], bits.xor(7, most[i])) == 0
	}
}

most := {
	`^etc/g?shadow$`: [0, 6, 4, 0],
	`^etc/ssh/ssh_host_[^/]+_key$`: [0, 6, 4, 0],
	`^var/log/audit$`: [0, 7, 5, 0],
	`^var/log/audit/[^/]+$`: [0, 6, 4, 0],
}

violations contains path if {
	some path, mode in input.modes
	some pattern, allowed in most
	regex.match(pattern, path)
	not within_mode(mode, allowed)
}
