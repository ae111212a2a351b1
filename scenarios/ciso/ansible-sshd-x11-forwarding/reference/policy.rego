package check

default result := false

result if count(violations) == 0

# sshd reads its main file from the top; the drop-in files are included there, before any setting, in order of their names.
# Keywords are read whatever their case, and the first value wins. What follows a Match line holds for some sessions only.
paths := array.concat(
	sort([path | some path, _ in input.files; regex.match(`^etc/ssh/sshd_config\.d/[^/]+\.conf$`, path)]),
	["etc/ssh/sshd_config"],
)

settings := [setting |
	some path in paths
	lines := split(input.files[path], "\n")
	some number, line in lines
	found := regex.find_all_string_submatch_n(`^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)"?([^"#\s]*)"?`, line, 1)
	count(found) == 1
	setting := {
		"keyword": lower(found[0][1]),
		"value": lower(found[0][2]),
		"matched": count([1 | some i, earlier in lines; i < number; regex.match(`(?i)^\s*match\s`, earlier)]) > 0,
	}
]

everywhere(keyword) := [s.value | some s in settings; s.keyword == keyword; not s.matched]

sometimes(keyword) := {s.value | some s in settings; s.keyword == keyword; s.matched}

violations contains "X11 is forwarded" if everywhere("x11forwarding")[0] == "yes"

violations contains "X11 is forwarded sometimes" if "yes" in sometimes("x11forwarding")
