/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The verbs of sandbox-inside. argv[0] is the program, the verb is already taken off. Exit codes of
 * all: 0 done; 1 the submission is at fault (an ERROR record or a report says why); 2 usage; 3
 * ours.
 */
int inside_unpack(int argc, char **argv);
int inside_pack(int argc, char **argv);
int inside_scripts(int argc, char **argv);
int inside_script(int argc, char **argv);
int inside_take(int argc, char **argv);
int inside_dotenv(int argc, char **argv);
int inside_test(int argc, char **argv);
int inside_migrate(int argc, char **argv);
int inside_database(int argc, char **argv);
int inside_killall(int argc, char **argv);
int inside_sql(void);
