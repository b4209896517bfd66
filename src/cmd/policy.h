/* `bondgate policy`: checks, shows and compares policies. */
#ifndef BONDGATE_CMD_POLICY_H
#define BONDGATE_CMD_POLICY_H

/* argv[0] is "policy". The exit code: 0; 1 a policy with errors (check) or a difference (diff); 2 used wrongly; 3 could not. */
int cmd_policy(int argc, char **argv);

#endif
