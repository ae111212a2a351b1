package check

default result := false

result if count(violations) == 0

# The files are read in the order of their names, and the last value wins. Keys may be written with slashes, lines that begin
# with # or ; are comments, and a minus before a key only silences errors.
values := [[key, value] |
	some path in sort([path | some path, _ in input.files; regex.match(`^etc/sysctl\.d/[^/]+\.conf$`, path)])
	some line in split(input.files[path], "\n")
	found := regex.find_all_string_submatch_n(`^\s*-?([a-z0-9_./*]+)\s*=\s*(\S+)\s*$`, line, 1)
	count(found) == 1
	key := replace(found[0][1], "/", ".")
	value := found[0][2]
]

setting(key) := all[count(all) - 1] if {
	all := [value | some [own, value] in values; own == key]
	count(all) > 0
}

violations contains "packets are forwarded" if not compliant

compliant if setting("net.ipv4.ip_forward") == "0"
