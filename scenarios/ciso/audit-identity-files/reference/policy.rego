package check

default result := false

result if count(violations) == 0

lines := [line |
	some path in sort([path | some path, _ in input.files; regex.match(`^etc/audit/rules\.d/[^/]+\.rules$`, path)])
	some line in split(input.files[path], "\n")
]

watches(path) := [i |
	some i, line in lines
	found := regex.find_all_string_submatch_n(`^\s*-w\s+(\S+)\s+-p\s+([rwxa]+)`, line, 1)
	count(found) == 1
	found[0][1] == path
	contains(found[0][2], "w")
	contains(found[0][2], "a")
]

watched(path) if {
	some at in watches(path)
	not taken_away_after(path, at)
}

taken_away_after(path, at) if {
	some i, line in lines
	i > at
	found := regex.find_all_string_submatch_n(`^\s*-W\s+(\S+)`, line, 1)
	count(found) == 1
	found[0][1] == path
}

violations contains path if {
	some path in ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"]
	not watched(path)
}
