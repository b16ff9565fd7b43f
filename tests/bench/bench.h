/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The subcommands of byepass-bench. Each gets its own name as argv[0] and returns the
 * exit status.
 */
#ifndef BYEPASS_BENCH_H
#define BYEPASS_BENCH_H

int bench_call(int argc, char **argv);
int bench_load(int argc, char **argv);
int bench_loopback(int argc, char **argv);
int bench_parse(int argc, char **argv);
int bench_engine(int argc, char **argv);
int bench_route(int argc, char **argv);
int bench_table(int argc, char **argv);

#endif
