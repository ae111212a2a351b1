package check

default result := false

result if count(violations) == 0

values(key) := [lower(found[0][2]) |
	some line in split(input.files["etc/audit/auditd.conf"], "\n")
	found := regex.find_all_string_submatch_n(`^\s*([A-Za-z_]+)\s*=\s*(\S+)`, line, 1)
	count(found) == 1
	lower(found[0][1]) == key
]

setting(key) := all[count(all) - 1] if {
	all := values(key)
	count(all) > 0
}

violations contains "logs are thrown away" if not keeps_logs

violations contains "goes on without logs" if not stops_without_logs

keeps_logs if setting("max_log_file_action") == "keep_logs"

stops_without_logs if setting("disk_full_action") in {"halt", "single"}
