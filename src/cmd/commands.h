/* The subcommands, one file each. Every one gets its own name as argv[0] and returns the exit code. */
#ifndef BONDGATE_CMD_COMMANDS_H
#define BONDGATE_CMD_COMMANDS_H

/* X(function, "name", "what it does") */
#define COMMANDS(X) \
	X(cmd_gate, "gate", "stand in front of the npm registry and serve what the policy clears") \
	X(cmd_scan, "scan", "read every lockfile below a path and say what speaks against it") \
	X(cmd_explain, "explain", "say why a version is allowed, held or denied, by which line, and until when") \
	X(cmd_who_has, "who-has", "list the machines, users and projects that received a version") \
	X(cmd_adopt, "adopt", "turn what is locked today into a policy to start with") \
	X(cmd_incidents, "incidents", "list what went wrong, who is concerned, and what to do") \
	X(cmd_feed, "feed", "bring in advisories, list and show them") \
	X(cmd_request, "request", "ask for an exception for a version that was refused") \
	X(cmd_requests, "requests", "list what was asked for, and what became of it") \
	X(cmd_approve, "approve", "approve somebody else's request") \
	X(cmd_reject, "reject", "reject a request, or end an exception before its time") \
	X(cmd_break_glass, "break-glass", "lift a refusal alone, for a day at most, loudly") \
	X(cmd_approvals, "approvals", "give approvals to others as a signed list, take in theirs") \
	X(cmd_token, "token", "make, list and revoke the tokens of people and teams") \
	X(cmd_webhook, "webhook", "test the webhooks of the policy") \
	X(cmd_keys, "keys", "make and show the keys that lists and bundles are signed with") \
	X(cmd_log, "log", "show, follow, verify or prune the evidence") \
	X(cmd_policy, "policy", "check, show or compare policy files") \
	X(cmd_simulate, "simulate", "say what a policy would have refused in what was really fetched") \
	X(cmd_report, "report", "show on one page what was and would be refused, and what waits for a person") \
	X(cmd_backup, "backup", "write what a gate must not lose to one file") \
	X(cmd_restore, "restore", "make a backup the state of a gate")

#define X(function, name, help) int function(int argc, char **argv);
COMMANDS(X)
#undef X

#endif
