#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Programs with threads: do they build unchanged, is each one's bug found, drawn,
# replayed, and does what cannot be built or run say why?
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $heddle = abs_path($ENV{HEDDLE} // 'build/heddle');
my $cc = dirname($heddle) . '/heddle-cc';
my $programs = abs_path("$FindBin::Bin/../bench/programs");
plan skip_all => "$cc is not built" unless -x $cc;
chdir $dir or die;

sub build {
	my ($name, $text, @options) = @_;
	spew("$name.c", $text);
	return run($cc, "$name.c", @options);
}

# --- one program, all verbs
my $abba = <<'END';
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static struct { int n; pthread_mutex_t lock[2]; } q;
static void *one(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&q.lock[1]);
	printf("one has %s\n", "both");
	q.n++;
	pthread_mutex_unlock(&q.lock[1]);
	pthread_mutex_unlock(&a);
	return arg;
}
static void *two(void *arg)
{
	pthread_mutex_lock(FIRST);
	pthread_mutex_lock(SECOND);
	q.n++;
	pthread_mutex_unlock(SECOND);
	pthread_mutex_unlock(FIRST);
	return arg;
}
int main(void)
{
	pthread_t t[2];
	pthread_create(&t[0], NULL, one, NULL);
	pthread_create(&t[1], NULL, two, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	assert(q.n == 2);
	return 0;
}
END
my ($rc, $out, $err) = build('abba', $abba, '-DFIRST=&q.lock[1]',
	'-DSECOND=&a', '--fuzz');
is "$rc$out$err", 0, 'a program builds without a word';
($rc, $out) = run(qw(./abba run --want=deadlock --out=found));
is $rc, 1, 'run finds the deadlock';
like $out, qr/^heddle: deadlock: a, q\.lock\[1\], task T[12]\nprogram abba$/m,
	'... its locks are called as in the program, and nothing is a model';
like $out, qr/^1 preemption; with 0: none \(exhausted\)\.$/m,
	'... minimal, and proved to be';
like $out, qr/^ main +T1 +T2$/m, '... drawn in three columns';
like $out, qr/^   pthread_create T2$/m, '... which say who is made';
like $out, qr/^  T1 waits for q\.lock\[1\] \(W\) in one +abba\.c:9\n    held by T2/m,
	'... and who waits for whom';
my ($file) = glob 'found/deadlock*.sched';
($rc, $out) = run('./abba', 'replay', '--twice', '--check', $file);
ok $rc == 0 && $out =~ /the same twice/, 'replay, twice, as recorded';
($rc, $out) = run('./abba', 'min', $file, qw(-o min.sched));
is result($out)->{preemptions} . ' ' . result($out)->{proved}, '1 yes', 'min';
($rc, $out) = run(qw(./abba run --want=circular));
like $out, qr/\(one has both\)/, 'what was printed stands where it was printed';
like $out, qr/^it can deadlock here, with 1 preemption$/m,
	'... and the order of locks comes with its deadlock';
($rc, $out) = run(qw(./abba explore));
my $r = result($out);
is "$rc $r->{complete} $r->{bound} $r->{signatures}",
	'1 yes none circular:a:q.lock[1],deadlock:a:q.lock[1]',
	'explore: both, in every interleaving';
my $interleavings = $r->{schedules};
like $out, qr/^complete: every interleaving of this program$/m, '... and says so';
($rc, $out) = run(qw(./abba fuzz -runs=500 -seed=1));
is "$rc " . result($out)->{schedules}, '1 500', 'its own fuzz target';
build('abba', $abba, '-DFIRST=&a', '-DSECOND=&q.lock[1]');
($rc, $out) = run(qw(./abba explore));
is "$rc " . result($out)->{complete}, '0 yes', 'one order: no bug in any';

# --- arguments, the end, and limits
build('args', <<'END', '--arg=x y', '--arg=say "\\"');
#include <assert.h>
#include <string.h>
int main(int argc, char **argv)
{
	assert(argc == 3 && !strcmp(argv[1], "x y"));
	assert(!strcmp(argv[2], "say \"\\\"") && !argv[3]);
	return 5;
}
END
($rc, $out) = run(qw(./args run));
is result($out)->{signatures}, 'exit-status', '--arg; a status is a verdict';
my $many = <<'END';
#include <pthread.h>
static void *nothing(void *arg) { return arg; }
int main(void)
{
	pthread_t t;
	int i;
	for (i = 0; i < N; i++) {
		pthread_create(&t, NULL, nothing, NULL);
		pthread_join(t, NULL);
	}
	return 0;
}
END
build('many', $many, '-DN=125');
($rc, $out) = run(qw(./many explore));
is "$rc " . result($out)->{schedules}, '0 1', '125 threads, and one order';
build('many', $many, '-DN=126');
($rc, $out) = run(qw(./many run));
is result($out)->{signatures}, 'limit:threads', 'one more is a limit';
like $out, qr/^limit threads .*\(no bug: a limit of heddle\)$/m, '... which says so';

build('large', "static volatile char a[5 << 20];\nint main(void) { return a[0]; }\n");
($rc, $out, $err) = run(qw(./large run));
ok $rc == 2 && $err =~ /too much static data/, '... as is too much static data';

# --- 100 threads: the last two have a deadlock, after 98 that are joined
(my $hundred = $abba) =~ s/pthread_t t\[2\];\K/
	for (int i = 0; i < 98; i++) {
		pthread_create(&t[0], NULL, nothing, NULL);
		pthread_join(t[0], NULL);
	}/;
$hundred =~ s/int main/static void *nothing(void *arg) { return arg; }\n$&/;
build('hundred', $hundred, '-DFIRST=&q.lock[1]', '-DSECOND=&a');
($rc, $out) = run(qw(./hundred run --want=deadlock --out=found100));
like $out, qr/^1 preemption; with 0: none \(exhausted\)\.$/m,
	'a deadlock of T99 and T100: found, minimal, and proved to be';
like $out, qr/^ main +T99 +T100$/m, '... drawn among those who are in it';
like $out, qr/^  T(99|100) waits for .*\n    held by T(?!\1)(99|100) /m,
	'... who wait for each other';
($file) = glob 'found100/deadlock*.sched';
($rc, $out) = run('./hundred', 'replay', '--twice', '--check', $file);
ok $rc == 0 && $out =~ /the same twice/, '... and replayed, twice, as recorded';
($rc, $out) = run(qw(./hundred explore));
$r = result($out);
is "$rc $r->{complete} $r->{schedules} $r->{signatures}",
	"1 yes $interleavings circular:a:q.lock[1],deadlock:a:q.lock[1]",
	'... which explore finds as well, in as many interleavings as T1 and T2 have';
build('writer', <<'END');
#include <assert.h>
#include <pthread.h>
static volatile int x;
static void *nothing(void *arg) { return arg; }
static void *writes(void *arg) { x = 1; return arg; }
static void *reads(void *arg)
{
	int first = x, second = x;
	assert(first == second);
	return arg;
}
int main(void)
{
	pthread_t t[2];
	pthread_create(&t[0], NULL, reads, NULL);
	for (int i = 0; i < 63; i++) {
		pthread_create(&t[1], NULL, nothing, NULL);
		pthread_join(t[1], NULL);
	}
	pthread_create(&t[1], NULL, writes, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
END
($rc, $out) = run(qw(./writer run --want=assert --seeds=3));
like $out, qr/^portfolio .* 3\/3$/m, 'who alone writes, T65, is not taken for T1';
for my $name (qw(reorder twostage)) {
	run($cc, "$programs/$name.c", '-o', "$name-100", '-DN=100');
	($rc, $out) = run("./$name-100", qw(run --want=assert --seeds=3));
	like $out, qr/^portfolio .* 3\/3$/m, "$name with 100 threads: found";
}

# --- all runs count: also in the warm-up the k-th schedule is found by k of them
run($cc, "$programs/account.c", qw(-o account));
my %firsts;
for my $seed (1 .. 12) {
	my @search = (qw(./account run --want=assert), "--seed=$seed");
	($rc, $out) = run(@search);
	my $first = result($out)->{first};
	$firsts{$first}++;
	($rc, $out) = run(@search, "--schedules=$first");
	my ($rc2, $out2) = run(@search, '--schedules=' . ($first - 1));
	is "$rc " . result($out)->{first} . " $rc2", "1 $first 0",
		"seed $seed: the bug is in schedule $first, not before"
		if $first > 1;
}
ok keys %firsts > 3, 'each seed is a trial of its own, from the first run on'
	or diag explain \%firsts;
run($cc, "$programs/twostage.c", qw(-o twostage -DN=2));
($rc, $out) = run(qw(./twostage run --want=assert --seeds=20
	--schedules=2000));
is scalar(() = $out =~ m{ 20/20$}mg), 10,
	'what one run does not show is learnt from the next, by each strategy';
unlike $out, qr/runs of the profile/, '... and no run stands apart';

# --- a run of more switches than edits can say keeps its strategy and its profile
build('long', <<'END');
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
static atomic_int last, changes;
static void *change(void *arg)
{
	for (int i = 0; i < 2000; i++)
		if (atomic_exchange(&last, (long)arg) != (long)arg)
			changes++;
	return 0;
}
int main(void)
{
	pthread_t t[2];
	pthread_create(&t[0], 0, change, (void *)1);
	pthread_create(&t[1], 0, change, (void *)2);
	pthread_join(t[0], 0);
	pthread_join(t[1], 0);
	assert(changes < 1200 || changes % 8 != 3);
	return 0;
}
END
run(qw(./long run --want=assert --strategy=random --seed=7 --schedules=40
	--keep-going --out=long.d));
my ($long) = glob 'long.d/assert*.sched';
like slurp($long), qr/^base random seed \d+ profile random 7 3$/m,
	'a schedule that no edits can say names its profile';
($rc, $out) = run(qw(./long replay --check --twice), $long);
is $rc, 0, '... and replays as recorded' or diag $out;
run(qw(./long run --want=assert --strategy=random --seed=8 --out=first.d));
my ($first) = glob 'first.d/*.sched';
spew('usual.sched', slurp($first) =~ s/ profile .*//r);
($rc, $out) = run(qw(./long replay --check usual.sched), $first, $long);
is result($out)->{differences}, 1,
	'... not the first run with what later ones showed; each file has its own';
spew('bad.sched', slurp($long) =~ s/ profile random 7/ profile luck 7/r);
($rc, $out, $err) = run(qw(./long replay bad.sched));
ok $rc == 2 && $err =~ /no strategy is called: luck/, '... and its words are read';

# --- explore: one run for each class, on programs whose number of classes is known
my $counted = <<'END';
#include <pthread.h>
#include <stdatomic.h>
static atomic_int x, own[N];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void take(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
}
static void *thread(void *arg)
{
	long me = (long)arg;
	DOES;
	return arg;
}
int main(void)
{
	pthread_t t[N];
	for (long i = 0; i < N; i++)
		pthread_create(&t[i], 0, thread, (void *)i);
	for (long i = 0; i < N; i++)
		pthread_join(t[i], 0);
	return x + own[0] > 99;
}
END
for my $n (2 .. 5) {
	my $factorial = 1;
	$factorial *= $_ for 2 .. $n;
	my $twice = 1; # (2n)! / 2^n
	$twice *= $_ * (2 * $_ - 1) for 1 .. $n;
	for my $known ([ 'write words of their own', 'own[me] = 1', 1 ],
		[ 'write one word', 'x = me', $factorial ],
		[ 'are a writer and readers', 'if (me) (void)x; else x = 1', 2 ** ($n - 1) ],
		[ 'take a mutex', 'take()', $factorial ],
		[ 'take it twice', 'take(); take()', $twice ]) {
		my ($what, $does, $classes) = @$known;
		build('counted', $counted =~ s/DOES/$does/r, "-DN=$n");
		($rc, $out) = run(qw(./counted explore --preemptions=none));
		is result($out)->{schedules} . ' ' . result($out)->{cut},
			"$classes 0", "$n threads $what: $classes, and none is cut";
	}
}

# --- C11 threads: a queue of one with one condition for both sides
my $c11 = <<'END';
#include <assert.h>
#include <stdatomic.h>
#include <threads.h>
static struct { mtx_t lock; cnd_t moved; int full, item; } box;
static once_flag made = ONCE_FLAG_INIT;
static tss_t mine;
static atomic_int freed;
static thread_local int got;
static void count(void *p) { (void)p; freed++; }
static void make(void)
{
	mtx_init(&box.lock, mtx_plain);
	cnd_init(&box.moved);
	tss_create(&mine, count);
}
static int put(void *arg)
{
	call_once(&made, make);
	mtx_lock(&box.lock);
	while (box.full)
		cnd_wait(&box.moved, &box.lock);
	box.full = 1;
	box.item = *(int *)arg;
	WAKE(&box.moved);
	mtx_unlock(&box.lock);
	return 0;
}
static int get(void *arg)
{
	(void)arg;
	call_once(&made, make);
	tss_set(mine, &got);
	mtx_lock(&box.lock);
	while (!box.full)
		cnd_wait(&box.moved, &box.lock);
	got = box.item;
	box.full = 0;
	WAKE(&box.moved);
	mtx_unlock(&box.lock);
	thrd_exit(got);
}
int main(void)
{
	int item[2] = { 3, 4 }, result[2];
	thrd_t p[2], g[2];
	for (int i = 0; i < 2; i++) {
		thrd_create(&p[i], put, &item[i]);
		thrd_create(&g[i], get, NULL);
	}
	for (int i = 0; i < 2; i++) {
		thrd_join(p[i], NULL);
		thrd_join(g[i], &result[i]);
	}
	assert(result[0] + result[1] == 7 && freed == 2);
	return 0;
}
END
($rc, $out, $err) = build('box', $c11, '-DWAKE=cnd_signal');
is "$rc$out$err", 0, 'C11 threads build without a word';
($rc, $out) = run(qw(./box run --want=deadlock));
like $out, qr/^ T\d +cnd_signal +box\.moved$/m, '... and their calls are drawn';
like $out, qr/^  T\d sleeps on box\.moved in \w+ +box\.c:\d+$/m,
	'... a signal that the wrong one got: a deadlock';
build('box', $c11, '-DWAKE=cnd_broadcast');
($rc, $out) = run(qw(./box run --schedules=3000));
is "$rc " . result($out)->{verdicts}, '0 0', '... and none with cnd_broadcast';

# --- cancellation: a worker that is stopped, with its mutex given back or not
my $worker = <<'END';
#include <assert.h>
#include <pthread.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs, done;
static void unlock(void *m) { pthread_mutex_unlock(m); }
static void *worker(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		pthread_cleanup_push(unlock, &lock);
		while (!jobs)
			pthread_cond_wait(&work, &lock);
		jobs--;
		SLEEP;
		done++;
		pthread_cleanup_pop(1);
		sleep(1);
	}
	return arg;
}
int main(void)
{
	pthread_t t;
	void *result;
	pthread_create(&t, NULL, worker, NULL);
	pthread_mutex_lock(&lock);
	jobs++;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
	pthread_cancel(t);
	pthread_join(t, &result);
	assert(result == PTHREAD_CANCELED);
	pthread_mutex_lock(&lock);
	assert(jobs + done == 1);
	pthread_mutex_unlock(&lock);
	return 0;
}
END
($rc, $out, $err) = build('worker', $worker, '-DSLEEP=(void)0');
is "$rc$out$err", 0, 'a program that cancels builds without a word';
($rc, $out) = run(qw(./worker explore));
$r = result($out);
is "$rc $r->{complete} $r->{verdicts}", '0 yes 0', '... and is safe in every interleaving';
build('worker', $worker, '-DSLEEP=usleep(1)');
($rc, $out) = run(qw(./worker run --want=assert));
like $out, qr/^heddle: assertion failed: jobs \+ done == 1, task main$/m,
	'... unless there is a point between two writes';
like $out, qr/^ +pthread_cancel cancelled 0->1$/m, '... who cancels is drawn';
(my $unlocks = $worker) =~ s/pthread_mutex_unlock\(m\)/(void)m/;
build('worker', $unlocks, '-DSLEEP=(void)0');
($rc, $out) = run(qw(./worker run --want=held-at-exit));
like $out, qr/^heddle: task still has locks held at exit: lock, task T1$/m,
	'... or a handler that does nothing';
build('async', "#include <pthread.h>\nint main(void)\n{\n" .
	"\tpthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);\n\treturn 0;\n}\n");
($rc, $out) = run(qw(./async run));
like $out, qr/^limit asynchronous cancellation .*\(no bug: a limit of heddle\)$/m,
	'asynchronous cancellation is a limit';

# --- locals of threads other than main
my $locals = <<'END';
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
struct range { int *from; int n; long sum; };
static void *sum(void *arg)
{
	struct range *r = arg;
	pthread_t t;
	if (r->n == 1) {
		r->sum = *r->from;
		return arg;
	}
	char far[FAR + 1];
	struct range half[2] = { { r->from, r->n / 2, 0 },
				 { r->from + r->n / 2, r->n - r->n / 2, 0 } };
	memset(far, 0, sizeof(far));
	pthread_create(&t, NULL, sum, &half[0]);
	sum(&half[1]);
	JOIN;
	r->sum = half[0].sum + half[1].sum;
	return arg;
}
int main(void)
{
	static int n[3] = { 1, 2, 3 };
	struct range all = { n, 3, 0 };
	pthread_t t;
	pthread_create(&t, NULL, sum, &all);
	pthread_join(t, NULL);
	assert(all.sum == 6);
	return 0;
}
END
build('sum', $locals, '-DJOIN=pthread_join(t,0)', '-DFAR=0');
($rc, $out) = run(qw(./sum explore));
$r = result($out);
is "$rc $r->{complete} $r->{verdicts}", '0 yes 0',
	'threads that make threads of their locals: safe in every interleaving';
($rc, $out) = run(qw(./sum run --schedules=500));
is "$rc " . result($out)->{signatures}, '0 -', '... and in all that were run';
build('sum', $locals, '-DJOIN=', '-DFAR=0');
($rc, $out) = run(qw(./sum run --want=wild-access));
like $out, qr/^heddle: access to unallocated memory: local of a function that ended, task T\d$/m,
	'... one of them is not awaited: its local is gone';
build('sum', $locals, '-DJOIN=pthread_join(t,0)', '-DFAR=6000');
($rc, $out) = run(qw(./sum run));
like $out, qr/^limit locals of a thread that others use .*\(no bug: a limit of heddle\)$/m,
	'... what lies too far from where a thread began is a limit';

# --- what cannot be built
for ([ 'fork()', 'unistd.h', 'fork' ], [ 'sigaction(1, 0, 0)', 'signal.h',
       'sigaction' ], [ 'pthread_kill(1, 9)', 'signal.h', 'pthread_kill' ]) {
	my ($call, $header, $name) = @$_;
	($rc, $out, $err) = build('stray',
		"#include <$header>\nint main(void) { $call; return 0; }\n");
	ok $rc == 2 && $err =~ /^heddle-cc: $name is not in heddle's model/m &&
		!-e 'stray', "$name is named";
}

# --- what README.md shows
my ($shown) = slurp("$FindBin::Bin/../../README.md") =~
	/^(heddle: assertion failed: end .*?)^```$/ms;
run($cc, "$programs/stringbuffer.c", qw(-o stringbuffer));
($rc, $out) = run(qw(./stringbuffer run --want=assert));
is substr($out, 0, length($shown // '')), $shown, 'README.md shows this report';

# --- the programs of others' benchmarks: -D, verdicts that are its bug
my @bugs = map { [ split ' ' ] } grep { !/^#/ } split /\n/, <<'END';
account - assert
lazy - assert
stack - assert
queue - assert
circular_buffer - assert
token_ring - assert
twostage N=2 assert
reorder N=3 assert
reorder N=10 assert
wronglock N=3 assert
bluetooth - assert
carter - deadlock
deadlock - deadlock
bounded_buffer - deadlock
qsort_mt N=2 assert
work_steal_queue - assert
stringbuffer - assert
cve_2009_3547 - null-deref
cve_2011_2183 - null-deref
cve_2013_1792 - null-deref
cve_2015_7550 - null-deref
cve_2016_1972 - use-after-free
cve_2016_1973 - use-after-free
cve_2016_7911 - use-after-free
cve_2016_9806 - double-free
cve_2017_6346 - use-after-free
cve_2017_15265 - use-after-free
END
for (@bugs) {
	my ($name, $define, $want) = @$_;
	($rc, $out, $err) = run($cc, "$programs/$name.c", '-o', $name,
		$define eq '-' ? () : "-D$define");
	is "$rc$err", 0, "$name ($define) builds unchanged";
	($rc, $out) = run("./$name", 'run', "--want=$want",
		'--schedules=20000');
	ok $rc == 1 && $out =~ /^(no preemption|\d+ preemptions?)\b.*\.$/m,
		"... $want: found and reduced" or diag $out;
}

# --- what takes long luck: the portfolio beyond 2,000 schedules (seed 9: 14,453)
run($cc, "$programs/safe_stack.c", qw(-o safe_stack));
my @hard = qw(./safe_stack run --want=assert --seeds=1 --seed=9);
($rc, $out) = run(@hard, qw(--strategy=portfolio --schedules=15000));
like $out, qr{^portfolio .* 1/1$}m, 'safe_stack: by four of five schedules';
($rc, $out) = run(@hard, qw(--strategy=random --schedules=15000));
like $out, qr{^random .* 0/1$}m, '... and not by a uniform walk';
done_testing;
