#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# heddle replay --gdb (debugger.c, heddle-gdb.py): where does gdb stop, and is what
# it tells what `show` tells of the same schedule?
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $heddle = abs_path($ENV{HEDDLE} // 'build/heddle');
my $top = "$FindBin::Bin/../..";
my $regress = "$top/corpus/regress";

# --- without gdb: one line
{
	local $ENV{PATH} = '/nonexistent';
	my ($rc, $out, $err) = run($heddle, 'replay', '--gdb',
		"$regress/abba.buggy/deadlock-a-b/min.sched");
	ok $rc == 2 && !$out &&
		$err =~ /\A.*no gdb here \(the Debian package is called gdb\)\n\z/,
		'no gdb: named, with its package';
}
for ([ '-' ], [ qw(a b) ], [ "$dir/none" ]) {
	my ($rc, $out, $err) = run($heddle, 'replay', '--gdb', @$_);
	ok $rc == 2 && !$out && $err =~ /\A[^\n]+\n\z/, "not for @$_";
}

my ($rc, $out, $err);
sub why_not {
	return 'no gdb here (the Debian package is gdb)'
		unless grep { -x "$_/gdb" } split /:/, $ENV{PATH};
	($rc, $out) = run(qw(gdb -nx -batch -ex), 'python print(6 * 7)',
		qw(-ex run --args), $heddle, '--version');
	return 'this gdb has no Python' unless $out =~ /^42$/m;
	return $out =~ /exited normally/ ? '' : 'gdb may not run programs here';
}
if (my $without = why_not()) {
	SKIP: { skip "the rest: $without", 1 }
	done_testing;
	exit;
}

# Replay FILE and give gdb these commands: its output, the exit status of the
# replay, or of gdb if that ends first.
sub gdb {
	my ($file, @commands) = @_;
	my ($program, @options) = ref $file ? @$file : ($heddle, $file);

	($rc, $out, $err) = run($program, qw(replay --gdb), @options,
		qw(-- -nx -batch -return-child-result),
		map { ('-ex', $_) } @commands);
	return $out;
}

# The picture's rows of two tasks: "first mutex_lock a waits".
sub rows_of {
	my ($picture, $left, $right) = @_;
	my @rows;
	for (split /\n/, $picture) {
		next unless /^( +)(\S.*)/ && $2 !~ /^<==/;
		push @rows, (length $1 > 20 ? $right : $left) . ' ' .
			join ' ', split ' ', $2;
	}
	return @rows;
}

# --- a deadlock: nobody runs, both tasks are parked
my $abba = "$regress/abba.buggy/deadlock-a-b/min.sched";
(undef, my $shown) = run($heddle, 'show', '--all', $abba);
my ($title) = $shown =~ /\Aheddle: (.*)/;
my ($picture) = $shown =~ /^ first +second\n(.*?)^ <==/ms;
gdb($abba, 'heddle task 1', 'heddle tasks', 'frame', 'heddle tasks',
	'heddle locks', 'heddle bt second', 'heddle steps', 'continue');
my $line = qr{at src/scenario/abba\.c};
like $out, qr{\Aheddle:\ step\ 15:\ \Q$title\E\n
	no\ task\ runs;\ here\ is\ first\n
	\#\d+\ .*\ in\ first\ .*\ $line:29\n29\t\tmutex_lock\(&pair->b\);\n}x,
	'deadlock: in the model, where a task waits';
my $tasks = <<'END';
*  0 first        blocked    4 ops, holds 1  mutex_lock b waits for second at src/scenario/abba.c:29
   1 second       blocked    4 ops, holds 1  mutex_lock a waits for first at src/scenario/abba.c:41
   2 rcu          asleep     0 ops, holds 0  grace period ends
END
is $out =~ s/^\Q$tasks\E//mg, 2, 'tasks: who waits for whom';
like $out, qr{^
	(\#\d+\ .*\ in\ second\ .*\ $line:41\n41\t.*\n)\1
	first\ holds\ a\ \(W\)\ since\ step\ 5\ $line:28\n
	first\ waits\ for\ b\ \(W\)\ $line:29\n
	second\ holds\ b\ \(W\)\ since\ step\ 9\ $line:40\n
	second\ waits\ for\ a\ \(W\)\ $line:41\n
	\#\d+\ +second\ $line:41\n}mx,
	'task, whose frame stays selected; locks, bt';
is_deeply [ $out =~ /^step \d+: (.*) at \S+$/mg ],
	[ rows_of($picture, 'first', 'second') ],
	'steps are the rows of show --all';
like $out, qr/^result: scenario=abba:buggy .* verdicts=2 /m,
	'the replay goes on to its end';
is $rc, 1, '... with the status that it has without gdb';

# --- steps, forth and back
gdb($abba, 'heddle goto 5', 'heddle tasks', 'heddle locks', 'heddle step',
	'heddle step 2', 'heddle tasks', 'heddle goto 3', 'heddle step 99');
my @steps = $out =~ /^(step.*) at (src\S+)$/mg;
is_deeply \@steps, [
	'step 5: first mutex_lock a' => 'src/scenario/abba.c:28',
	'step 6: first read pair = pair#1' => 'src/scenario/abba.c:29',
	'step 9: second mutex_lock b' => 'src/scenario/abba.c:40',
	'step 3: first read pair = pair#1' => 'src/scenario/abba.c:28',
], 'goto and step';
like $out, qr{^step\ 9.*\n\#.*\ in\ second\ .*\n40\t.*\n
	\ \ \ 0\ first\ +ready\ +3\ ops,\ holds\ 1\ \ mutex_lock\ b\ $line:29\n
	\*\ \ 1\ second\ +running\ +2\ ops,\ holds\ 1\ \ mutex_lock\ b\ $line:40\n
	}mx, 'a task that is parked tells what it would do next';
like $out, qr/^first is about to take a|^first holds a \(W\) since step 5 /m,
	'a lock just got is held';
like $out, qr/^heddle: 7 ops are left.*\nheddle: step 15: deadlock/m,
	'a verdict comes first';

gdb("$regress/abba.buggy/circular-a-b/min.sched", 'heddle goto 3',
	'heddle goto 25', 'break abba.c:29', 'heddle run', 'heddle tasks');
like $out, qr/^step 25: second read shared = 1 at /m, 'goto: past a verdict';
like $out, qr/^Breakpoint 1, .*\n.*\n\*  0 first +running +2 ops/m,
	'breakpoints: in the run, not while it is loaded';

# --- a fuzzer's input: the options of replay reach the process under gdb
run($heddle, qw(min --as-is), $abba, '-o', "$dir/crash.bin");
gdb([ $heddle, '--scenario=abba:buggy', '--twice', "$dir/crash.bin" ],
	'continue', 'continue');
like $out, qr/\Aheddle: .*circular.*task first\n(.*\n)+heddle: .*deadlock/,
	'no verdict is wanted: the first one, then the next';
like $out, qr/^  the same twice/m, '... and only in the first run';

# --- what README.md shows
my ($readme) = slurp("$top/README.md") =~ /^```\n(\S+ replay --gdb .*?)^```$/ms;
my @lines = split /\n/, $readme;
is shift @lines, 'build/heddle replay --gdb ' .
	'corpus/regress/abba.buggy/deadlock-a-b/min.sched', 'README: a session';
gdb($abba, map { /^\(gdb\) (.*)/ } @lines);
my ($from, $missing) = (0, '');
s/^#\K\d+ /N /mg for $out, @lines; # how much of the engine was inlined
for (grep { !/^\(gdb\)/ } @lines) {
	my $found = index "\n$out", "\n$_\n", $from;
	$missing .= "$_\n" if $found < 0;
	$from = $found + 1;
}
is $missing, '', '... is what it prints';

# --- a use after free: in the task that runs
my $uaf = "$regress/fault_vs_munmap.v6/" .
	'use-after-free-vm_area_struct.vm_mm/min.sched';
(undef, $shown) = run($heddle, 'show', $uaf);
($title) = $shown =~ /\Aheddle: (.*)/;
my ($raised) = $shown =~ /^raised in fault\n(.*?)\n\n/ms;
my @raised = map { [ split ] } split /\n/, $raised;
my $n = () = slurp($uaf) =~ /^verdict /mg;
gdb([ $heddle, $uaf, '--check' ], 'heddle bt', 'heddle tasks', 'heddle locks',
	'continue');
like $out, qr/\Aheddle: step \d+: \Q$title\E\n/,
	'use after free: the wanted verdict, of several';
is_deeply [ $out =~ /\A.*\n#\d+ .* in (\w+) .* at (\S+)\n/ ], $raised[0],
	'... in the model, where the report says';
cmp_ok $n, '>', 1, '... there are others';
is_deeply [ map { [ split / at / ] } $out =~ /^#\d+ +(\w+ at \S+)$/mg ],
	\@raised, 'bt is the stack of the report';
like $out, qr/^\*  1 fault +running .* read vm_mm at \Q$raised[0][1]\E$/m,
	'the op at which the run ends';
like $out, qr/^fault holds vm_lock \(R\) since step \d+ at src\S+:(\d+)$/m,
	'a lock that is annotated by hand';
my ($at) = $shown =~ /^  fault: vm_lock \(R\) in .*:(\d+)$/m;
like $out, qr/vma_lock_v6.c:$at$/m, '... at the place of the report';
like $out, qr/^  as recorded$/m, 'the same run as without gdb';
is $rc, 0, '... and the same status';

# --- a task that is parked deep in the model: every line calls the next frame
gdb($uaf, 'heddle goto 79', 'heddle bt fault', 'heddle bt munmap',
	'heddle out');
my @frames = map { [ split / at / ] } $out =~ /^#\d+ +(\w+ at \S+)$/mg;
is join(' ', map { $_->[0] } @frames[0 .. 5]),
	'vma_start_read vma_start_read_of lock_vma_under_rcu ' .
	'fault_under_vma_lock do_user_addr_fault fault_task',
	'a parked task: the functions of the model, in order';
sub source {
	my ($file, $number) = split /:/, $_[0];
	return (split /\n/, slurp("$top/$file"))[$number - 1] // '';
}
my @calls = ('__refcount_inc_not_zero_limited', 'start_read', # by a pointer
	     map { $_->[0] } @frames[1 .. 4]);
ok source($frames[$_][1]) =~ /\b$calls[$_]\b/, "... $frames[$_][0]'s line"
	for 0 .. 5;
is join(' ', map { $_->[0] } @frames[6 .. $#frames]),
	'mm_lock_seqcount_begin mmap_write_lock do_munmap munmap_task',
	'the one that runs';

like $out, qr{ in do_raw_write_seqcount_begin .* at include/heddle/seqlock.h:\d+\n.*\n\z},
	'out: of the engine, where its code goes on';

# --- a plain store is judged when its task is elsewhere, an end after all of it
my $store = "$regress/fault_vs_mprotect.6.14-late-end/" .
	'unlocked-write-vm_flags-vm_area_struct/min.sched';
(undef, $shown) = run($heddle, 'show', $store);
($raised) = $shown =~ /^raised in writer\n +\S+ +(\S+)$/m;
gdb($store);
like $out, qr/\A.*\nits last op: write vm_flags at \Q$raised\E\n/,
	'a store: its place is told';
gdb("$regress/put_under_lock.no-put/refcount-leak-session.refs/min.sched",
	'heddle bt', 'heddle bt 0');
like $out, qr/\Aheddle: .*reference leaked.*\nno code of the model runs here\n\z/,
	'a leak: nobody runs';
like $err, qr/^heddle: no task runs: which one.*\nheddle: \w+ has ended$/m,
	'... and there is no bt';
gdb("$regress/uffd_moves_vs_mprotect.merged-6.15-leak/" .
	'deadlock-mm_struct/min.sched');
like $out, qr/, task rcu\nno task runs; here is writer\n/,
	'a deadlock: who waits, no daemon that ran last';

# --- no verdict: the first op; and what gdb is told in vain
(my $clean = slurp($abba)) =~ s/^switch .*\n//m;
$clean =~ s/:buggy/:fixed/;
gdb(spew("$dir/clean.sched", $clean), 'heddle tasks', 'heddle bt 2',
	'heddle goto 1000', 'heddle step 0', 'heddle task nobody',
	'heddle nothing', 'continue', 'heddle bt');
like $out, qr/\A.* no verdict.*\nstep \d+: first read pair.*\n/, 'no verdict: the first op';
like $err, qr/^heddle: there is no op from step 1000 on/m, 'goto: too far';
like $err, qr/^heddle: not a number from 1 on: 0$/m, 'step: no number';
like $err, qr/^heddle: no such task: nobody/m, 'no such task';
like $err, qr/^heddle: no such command: heddle nothing$/m, 'no such command';
like $err, qr/^heddle: no run is under way/m, 'the run is over';
like $out, qr/^result: .* verdicts=0 /m, '... and was clean';

# --- sleepers are shown as they slept, not as the oracle leaves them
gdb("$regress/lost_wakeup.buggy/lost-wakeup-counted/min.sched",
	'heddle tasks', 'detach');
like $out, qr/^heddle: .*lost wake-up.*\n.* here is writer\n.*\n\d+\t+schedule\(\);$/m,
	'lost wake-up: in schedule()';
like $out, qr/^\*  0 writer +asleep .* schedule at src\S+:47$/m, '... tasks, too';
for (1 .. 100) { # gdb does not wait for it
	last if ($out = slurp("$dir/.out")) =~ /^result:/m;
	select undef, undef, undef, 0.05;
}
like $out, qr/^result: .* verdicts=1 /m, 'detach: the replay goes on by itself';

# --- a program of heddle-cc: recursion, and a SIGSEGV that is the model's
my $cc = dirname($heddle) . '/heddle-cc';
SKIP: {
	skip "$cc is not built", 5 unless -x $cc;
	my $bench = abs_path("$top/triage/bench/programs/stringbuffer.c");
	chdir $dir or die;
	run($cc, $bench, qw(-o buffer));
	run(qw(./buffer run --want=assert --out=b));
	gdb([ './buffer', glob 'b/assert*.sched' ]);
	like $out, qr/^heddle: .*assertion.*\n#\d+ .* at \Q$bench\E:\d+\n/m,
		'a program of this tree is a model, too';
	spew('deep.c', <<'END');
#include <pthread.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int *table = (int *)0x300000000000;
static int deep(int n)
{
	if (n)
		return deep(n - 1) + 1;
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	return *table;
}
static void *one(void *arg)
{
	pthread_mutex_lock(&b);
	deep(2);
	return arg;
}
int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, one, NULL);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_join(t, NULL);
	return 0;
}
END
	run($cc, qw(deep.c -o deep));
	run(qw(./deep run --want=deadlock --out=d));
	gdb([ './deep', glob 'd/*.sched' ], 'heddle bt T1', 'heddle bt main');
	is join(' ', $out =~ /^#\d+ +(\w+ at \S+)$/mg),
		'deep at deep.c:9 deep at deep.c:8 deep at deep.c:8 ' .
		'one at deep.c:16 main at deep.c:25',
		'a program: parked threads';
	run(qw(./deep run --want=wild-access --out=w));
	gdb([ './deep', glob 'w/*.sched' ], 'heddle bt', 'continue');
	like $out, qr/^heddle: .*unallocated memory.*\n.*\n#.*\n11\t/m,
		'a wild access: gdb leaves the signal to the engine';
	like $out, qr/^#\d+ +deep at deep\.c:11$/m, '... bt through it';
	is $rc, 1, '... and the replay ends as usual';
}
done_testing;
