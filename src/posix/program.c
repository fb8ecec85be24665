/* SPDX-License-Identifier: MIT */
/* How does a program begin, and how does it end?
 *
 * A table of tasks: main() and the threads that it may make, which sleep until
 * they are made.  Its length is found out when the program is loaded: as many as
 * the runs of the profile made, and one more.
 *
 * exit(), and return from main(), end the run at once; the other threads stop
 * where they stand.  Whatever they could do later they could as well have done
 * before, so nothing is lost. */
#include <string.h>

#include "posix.h"

/* Its own, from HEDDLE_PROGRAM and heddle-cc; none in heddle itself. */
extern const char *const hd_program_argv[] __attribute__((weak));
int hd_program_main(int argc, char **argv, char **env) __attribute__((weak));

void hd_program_thread(void *arg);

#define T(n) { "T" #n, hd_program_thread, (void *)n##ul }
#define T6(n) T(n##0), T(n##1), T(n##2), T(n##3), T(n##4), T(n##5)
#define T10(n) T6(n), T(n##6), T(n##7), T(n##8), T(n##9)
static const struct heddle_task all[HD_PROGRAM_TASKS + 1] = {
	{ "main", hd_program_main_task }, T(1), T(2), T(3), T(4), T(5), T(6),
	T(7), T(8), T(9), T10(1), T10(2), T10(3), T10(4), T10(5), T10(6),
	T10(7), T10(8), T10(9), T10(10), T10(11), T6(12),
};
_Static_assert(HD_PROGRAM_TASKS == 126, "main, and T1 to T125");
struct heddle_task hd_program_table[HD_PROGRAM_TASKS + 1] = {
	{ "main", hd_program_main_task },
};

/* World state; where it lies is constant during a run. */
static struct process *process;
static struct thread *thread[HD_PROGRAM_TASKS];
static u32 most; /* threads that any run made since loading */

struct process *posix_process(void)
{
	return process;
}

struct thread *posix_thread(u32 task)
{
	return task < HD_PROGRAM_TASKS ? thread[task] : NULL;
}

/* --- loading ---------------------------------------------------------------- */

void hd_program_all_tasks(void)
{
	memcpy(hd_program_table, all, sizeof(all));
	most = 0;
}

void hd_program_cut_tasks(void)
{
	u32 n = (most ? most : 1) + 1; /* main made itself */

	if (n < HD_PROGRAM_TASKS)
		hd_program_table[n].name = NULL;
}

void hd_program_setup(void)
{
	u32 i;

	hd_eng.many_reads = posix_many_reads;
	process = heddle_alloc(struct process);
	process->created = 1;
	for (i = 0; hd_program_table[i].name; i++) {
		thread[i] = heddle_alloc(struct thread);
		W->tasks[i].daemon = i > 0;
	}
	thread[0]->state = THREAD_RUNS;
}

void posix_made(u32 threads)
{
	if (threads > most)
		most = threads;
}

/* --- main and its end ----------------------------------------------------------- */

void posix_fatal(u8 kind, const char *word, u32 pc)
{
	struct hd_verdict v = { .kind = kind, .fatal = 1, .pc = pc };

	hd_settle();
	if (word)
		v.names[v.nnames++] = word;
	hd_raise(v);
}

void posix_misuse(const char *what, u32 pc)
{
	struct hd_verdict v = { .kind = HD_V_WARN, .pc = pc, .nnames = 1,
				.names = { what } };

	hd_settle();
	hd_raise(v);
}

static void stop_others(void)
{
	u32 i;

	for (i = 0; i < W->nuser; i++)
		W->tasks[i].daemon = 1;
	W->ready = hd_bit(W->cur->id);
	W->cond = W->waiting = W->late = 0;
}

static void leave(int status, u32 pc)
{
	hd_publish(HD_FENCE, NULL, 0, 0, HD_RELAXED, pc);
	hd_did(0, (u64)status);
	if (status)
		posix_fatal(HD_V_EXIT_STATUS, NULL, pc);
	stop_others();
	hd_end_task(W->cur);
}

void hd_exit(int status)
{
	leave(status & 0xff, HD_PC());
}

POSIX_SAME(hd_exit_now, hd_exit);

void hd_program_main_task(void *arg)
{
	static char *none[] = { NULL };
	char **argv = hd_program_argv ? (char **)hd_program_argv : none;
	int argc = 0;

	(void)arg;
	while (argv[argc])
		argc++;
	leave(hd_program_main(argc, argv, argv + argc) & 0xff, HD_PC());
}

void hd_abort(void)
{
	posix_fatal(HD_V_ABORT, NULL, HD_PC());
}

void hd_assert_fail(const char *cond, const char *file, unsigned int line,
		    const char *function)
{
	(void)file;
	(void)line;
	(void)function;
	posix_fatal(HD_V_ASSERT, cond, HD_PC());
}
