#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# heddle campaign: a short night, and everything that can happen to it: killed,
# interrupted, started twice, a full disk, targets that crash or hang.
# (triage/torture.sh does the same for longer; campaign_test.c tests parts.)
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;
use Time::HiRes qw(sleep time);

my $heddle = abs_path($ENV{HEDDLE} // 'build/heddle');
my $cc = dirname($heddle) . '/heddle-cc';
# All of it is searched to the end, so that each campaign ends when it is done; the
# times are for slow machines.
my @few = qw(abba fault_vs_munmap:v10 lost_wakeup two_inits
	lockdep_reports:three lockdep_reports:between);
my ($rc, $out, $err);

sub campaign {
	my ($to, @args) = @_;
	return heddle('campaign', "--out=$dir/$to", '--jobs=2', @args);
}

# In the background: pid.
sub start {
	my ($program, $to, @args) = @_;
	my $pid = fork // die;

	return $pid if $pid;
	setpgrp 0, 0; # Ctrl-C is for the whole group
	open STDOUT, '>', "$dir/$to.out" or die;
	open STDERR, '>', "$dir/$to.err" or die;
	exec $program, 'campaign', "--out=$dir/$to", '--jobs=2', @args or die;
}

sub wait_for {
	my ($seconds, $what) = @_;
	my $end = time + $seconds;

	while (time < $end) {
		return 1 if $what->();
		sleep 0.05;
	}
	return 0;
}

sub signatures {
	my ($to) = @_;
	return join "\n", sort map { basename $_ } glob "$dir/$to/findings/*";
}

# What is not there whole.
sub halves {
	my ($to) = @_;
	my @bad = glob "$dir/$to/{*,*/*,findings/*/*}.tmp $dir/$to/findings/.*.tmp";

	for my $d (glob "$dir/$to/findings/*") {
		push @bad, "$d/found.txt"
		    unless slurp("$d/found.txt") =~ /^signature .*\n(.*\n)*found /m;
		push @bad, "$d/min.sched" if -e "$d/min.sched" &&
		    slurp("$d/min.sched") !~ /^hash [0-9a-f]{16}\n\z/m;
		push @bad, "$d: no schedule" unless () = glob "$d/*.bin";
	}
	push @bad, 'state.txt' if slurp("$dir/$to/state.txt") !~ /^end\n\z/m;
	push @bad, 'status.html' if -e "$dir/$to/status.html" &&
	    slurp("$dir/$to/status.html") !~ m{</html>\n\z};
	return join ' ', @bad;
}

# --- wrong usage
for my $wrong ([qw(nothing)], [qw(abba:no)], [qw(--time=soon)], [qw(--time=5x)],
	[qw(--jobs=0)], [qw(--frob)], [qw(mm_mix:6.6+fault)],
	['--out=/proc/no/where']) {
	($rc, $out, $err) = heddle('campaign', @$wrong);
	is $rc, 2, "campaign @$wrong: usage";
	is scalar(() = $err =~ /\n/g), 1, '... one line';
}

# --- a night without its canary
($rc, $out) = campaign('none', '--time=0', 'abba:fixed');
is $rc, 3, 'nothing was run: the night does not count';
is result($out)->{canary}, 'missing', '... because of the canary';
like slurp("$dir/none/status.txt"), qr/^canary: +NOT found by/m, '... it says so';

# --- a whole one; meanwhile others want the folder, and look at it
my $pid = start($heddle, 'whole', '--time=20s', @few);
ok wait_for(5, sub { -e "$dir/whole/status.html" }), 'there is a page at once';
like slurp("$dir/whole/status.html"), qr/http-equiv="refresh"/,
	'... that refreshes while it runs';
($rc, $out, $err) = campaign('whole', '--time=20s', @few);
is $rc, 2, 'a second campaign on the folder is refused';
like $err, qr/in use by another campaign, process $pid$/, '... it names the first';
waitpid $pid, 0;
$out = slurp("$dir/whole.out");
is $? >> 8, 0, 'every variant showed what it declares' or diag $out;
my $r = result($out);
is "$r->{variants} $r->{unexpected} $r->{missing} $r->{crashes} $r->{canary}",
	'13 0 0 0 found', 'all of them, and the canary';
is $r->{searched}, 13, '... in every interleaving';
is slurp("$dir/whole.err"), '', 'nothing on stderr that is no terminal';
my $whole = signatures('whole');
for my $s (qw(abba.deadlock-a-b lost_wakeup.lost-wakeup-counted
	canary_abba.deadlock-a-b-c)) {
	like $whole, qr/^\Q$s\E$/m, "found: $s";
}
is halves('whole'), '', 'no file is half written';
my @min = glob "$dir/whole/findings/*/min.sched";
is scalar @min, scalar(() = $whole =~ /^./mg), 'all are minimised';
($rc) = heddle('replay', '--check', @min);
is $rc, 0, '... and replay as recorded';
($rc, $out) = heddle('dedup', "$dir/whole/findings");
is result($out)->{signatures}, scalar @min, 'dedup: no signature twice';
like slurp("$dir/whole/findings/abba.deadlock-a-b/report.html"),
	qr/<svg.*deadlock.*<\/html>\s*\z/s, 'a page for each';
my ($report) = map { slurp("$_/report.txt") } "$dir/whole/findings/abba.deadlock-a-b";
like $report, qr{heddle replay \S*/findings/abba\.deadlock-a-b/min\.sched},
	'the report says how to replay it';
my $three = "$dir/whole/findings/lockdep_reports.circular-a-b-c";
my $found = slurp("$three/found.txt");
like $found, qr/^found three expected \w+ \d+ [\d.]+$/m,
	'who found it, and after how much';
like $found, qr/^found between expected /m, '... and which other variant shows it';
for my $variant (qw(three between)) {
	($rc, $out) = heddle('replay', "--scenario=lockdep_reports:$variant",
		"$three/$variant.bin");
	like $out, qr/circular/, "$variant: the schedule as it was found replays";
}
my $status = slurp("$dir/whole/status.txt");
is scalar(grep { length > 80 } split /\n/, $status), 0, 'status.txt: 80 columns';
like $status, qr/^two_inits:claimed .*\n    goals not reached: initialised, came second$/m,
	'... with the goals that it cannot reach';
is scalar(() = $status =~ /goals not reached/g), 1, '... which all others do';
like $status, qr/^unexpected: 0 of/m, '... what must be seen is at the top';
like $status, qr/^abba:fixed +all +\d+ +0  clean$/m, '... a line for each variant';
unlike slurp("$dir/whole/status.html"), qr/http-equiv="refresh"/,
	'the page refreshes no more';

# --- the page in a browser
SKIP: {
	my ($chromium) = grep { -x } map { "$_/chromium" } split /:/, $ENV{PATH};
	skip 'no chromium here', 4 unless $chromium;
	($rc, $out) = run('timeout', '60', $chromium, '--headless', '--no-sandbox',
		'--disable-gpu', "--user-data-dir=$dir/chromium", '--dump-dom',
		"file://$dir/whole/status.html");
	like $out, qr/<polyline id="interleavings-curve"[^>]* points="[\d., ]{20}/,
		'chromium: the plot';
	my ($rows) = $out =~ m{<table id="variants">(.*?)</table>}s;
	is scalar(() = ($rows // '') =~ /<tr>/g), 14, '... a row for each variant';
	like $rows, qr{<td>fault_vs_munmap:v10</td>.*?>7/7</td>}, '... with its goals';
	my @links = $out =~ m{href="(findings/[^"]+/report\.html)"}g;
	is scalar(grep { -e "$dir/whole/$_" } @links), scalar @min,
		'... and its links lead somewhere';
}

# --- the same folder: another night, but nothing else; however far the search of
# the canary had come, each engine has to find it again
(my $state = slurp("$dir/whole/state.txt")) =~
	s/^(variant canary.* bound=)-?\d+/${1}64/m;
spew("$dir/whole/state.txt", $state);
($rc, $out) = campaign('whole', '--time=20s', @few);
is $rc, 0, 'another night';
is signatures('whole'), $whole, '... finds the same';
is result($out)->{findings}, scalar @min, '... and has read what it had found';
is result($out)->{canary}, 'found', '... and finds its canary';
like slurp("$dir/whole/state.txt"), qr/^variant abba:fixed .*\neffort explore 1 2 /m,
	'... and searches nothing to its end twice';
my $cut = spew("$dir/whole/corpus/canary_abba.planted/" . '0' x 40, 'cut sh');
($rc, $out) = campaign('whole', '--time=0', @few);
ok !-e $cut, 'what libFuzzer was not let write to its end goes at the next start';
is "$rc " . result($out)->{canary}, '3 missing', '... which must be found each night';
($rc, $out, $err) = campaign('whole', '--time=20s', 'abba');
is $rc, 2, 'other variants';
like $err, qr/over other variants/, '... are another campaign';

# --- kill -9, some times
my @workers;
for my $after (0.05, 0.3, 0.7) {
	$pid = start($heddle, 'killed', '--time=20s', @few);
	wait_for(3, sub { -e "$dir/killed/state.txt" });
	sleep $after;
	push @workers, split ' ', slurp("/proc/$pid/task/$pid/children");
	kill 'KILL', $pid;
	waitpid $pid, 0;
}
sleep 0.2;
cmp_ok scalar @workers, '>', 0, 'workers were seen';
is scalar(grep { slurp("/proc/$_/stat") =~ /\) [^ZX]/ } @workers), 0,
	'... and died with it';
($rc, $out) = campaign('killed', '--time=20s', @few);
is $rc, 0, 'killed three times, it goes on';
is signatures('killed'), $whole, '... and finds the same';
is halves('killed'), '', '... and leaves nothing half written';

# --- Ctrl-C; under nohup, no hang-up
{
	local $SIG{HUP} = 'IGNORE';
	$pid = start($heddle, 'int', '--time=60s', 'mm_mix:6.17');
}
wait_for(10, sub { slurp("$dir/int.out") =~ /found/ });
kill 'HUP', $pid;
sleep 0.3;
like slurp("/proc/$pid/stat"), qr/\) [^ZX]/, 'nohup: it goes on';
kill 'INT', -$pid;
my $began = time;
waitpid $pid, 0;
cmp_ok time - $began, '<', 5, 'Ctrl-C ends it soon';
like slurp("$dir/int.out"), qr/^interrupted; the same command goes on$/m,
	'... it says that it can go on';
like slurp("$dir/int/status.txt"), qr/: interrupted after/, '... and the page, too';
like slurp("$dir/int.out"), qr/ crashes=0 /, '... and takes no worker for crashed';

# --- what a buggy variant shows beyond the preemptions that it declares (below)
my $deep = start($heddle, 'deep', '--time=10s', 'mremap_vs_reclaim:6.16');

# --- targets that crash or hang, of heddle-cc
my $dies = <<'END';
#include <heddle/heddle.h>
#include <heddle/kernel.h>
static struct shared { int x; } *s;
static void setup(void) { s = heddle_alloc(struct shared); }
static void one(void *arg)
{
	WRITE_ONCE(s->x, 1);
	if (heddle_choose(2)) /* the profile's runs do not */
		DIE;
}
static void two(void *arg) { WRITE_ONCE(s->x, 2); }
static const struct heddle_task tasks[] = {
	{ .name = "one", .fn = one }, { .name = "two", .fn = two }, { 0 },
};
static const struct heddle_variant variants[] = { { "only", "" }, { 0 } };
HEDDLE_SCENARIO(dies) = { .name = "NAME", .title = "dies", .source = "none",
	.variants = variants, .tasks = tasks, .setup = setup };
END
SKIP: {
	skip 'no heddle-cc here', 10 unless -x $cc;
	my %how = (crash => '__builtin_trap()', hang => 'for (;;) __asm__("")');
	my %pid;
	for my $name (qw(crash hang)) {
		(my $text = $dies) =~ s/DIE/$how{$name}/;
		$text =~ s/NAME/$name/;
		spew("$dir/$name.c", $text);
		($rc, $out, $err) = run($cc, "$dir/$name.c", '-o', "$dir/$name");
		is "$rc$err", '0', "$name builds";
		# a race is no crash: undeclared, it is the headline
		$pid{$name} = start("$dir/$name", "$name.d", '--time=7s');
	}
	for my $name (qw(crash hang)) {
		waitpid $pid{$name}, 0;
		$out = slurp("$dir/$name.d.out");
		is $? >> 8, 3, "$name: the night does not count" or diag $out;
		is result($out)->{canary}, 'found', '... though it has its canary';
	}
	like slurp("$dir/crash.d.out"), qr/^CRASH crash:only, portfolio, was ended by signal/m,
		'a crash is named';
	like slurp("$dir/hang.d.out"), qr/^CRASH hang:only, portfolio, hung/m,
		'... and a hang';
	my %input = map { slurp($_) => $_ }
	    glob "$dir/crash.d/crashes/*portfolio*.bin";
	cmp_ok scalar keys %input, '>', 1, '... which is not run into again';
	($rc) = run("$dir/crash", 'replay', (values %input)[0],
		'--scenario=crash:only');
	like $rc, qr/signal (4|5)/, 'its input does it again';
}

waitpid $deep, 0;
is(($? >> 8) . ' ' . result(slurp("$dir/deep.out"))->{unexpected}, '0 0',
	'deeper is not unexpected');
like slurp("$dir/deep/status.txt"), qr/^  mremap_vs_reclaim: 6\.16 \(deeper\)$/m,
	'... but is told';

# --- what nobody declared
SKIP: {
	skip 'no heddle-cc here', 4 unless -x $cc;
	(my $text = $dies) =~ s/DIE/heddle_assert(s->x == 1)/;
	$text =~ s/NAME/wrong/;
	spew("$dir/wrong.c", $text);
	run($cc, "$dir/wrong.c", '-o', "$dir/wrong");
	($rc, $out) = run("$dir/wrong", 'campaign', "--out=$dir/wrong.d", '--time=10s');
	is $rc, 1, 'an undeclared verdict';
	is result($out)->{unexpected}, 2, '... is counted, and the race behind it';
	like $out, qr{^NOT EXPECTED: assert .*: \S+/findings/wrong\.assert}m,
		'... and named at the end';
	like slurp("$dir/wrong.d/status.txt"),
		qr/^UNEXPECTED: NOT DECLARED BY THE VARIANT\n\n(.*\n){0,9}assert/m,
		'... and first on the page';
}

# --- a program: its target has the canary, too
my $program = <<'END';
#include <assert.h>
#include <pthread.h>
static int n;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void *thread(void *arg)
{
	pthread_mutex_lock(&m);
	int v = n;
	pthread_mutex_unlock(&m);
	pthread_mutex_lock(&m);
	n = v + 1;
	pthread_mutex_unlock(&m);
	return arg;
}
int main(void)
{
	pthread_t a, b;
	pthread_create(&a, 0, thread, 0);
	pthread_create(&b, 0, thread, 0);
	pthread_join(a, 0);
	pthread_join(b, 0);
	assert(n == 2);
}
END
SKIP: {
	skip 'no heddle-cc here', 5 unless -x $cc;
	spew("$dir/counts.c", $program);
	run($cc, "$dir/counts.c", '-o', "$dir/counts", '--fuzz');
	($rc, $out) = run("$dir/counts", 'campaign', "--out=$dir/counts.d",
		'--time=20s');
	is "$rc " . result($out)->{canary}, '1 found', 'a program, and its canary';
	like slurp("$dir/counts.d/state.txt"),
		qr/^variant canary_abba.* canary=15 /m, '... by libFuzzer as well';
	my @files = glob "$dir/counts.d/findings/*/min.sched";
	is scalar @files, 3, '... two signatures of that, one of the program';
	($rc, $out) = run("$dir/counts", 'replay', '--check', @files, @files);
	is $rc, 0, '... replay as recorded, one after the other' or diag $out;
	($rc, $out) = run("$dir/counts", 'list');
	unlike $out, qr/canary/, 'no list shows the canary';
}

# --- a full disk: a small one of our own
SKIP: {
	my ($ok) = run(qw(unshare -rm mount -t tmpfs none /mnt));
	skip 'no tmpfs of our own here', 4 if $ok;
	spew("$dir/full.sh", <<END);
mount -t tmpfs -o size=2m none /mnt || exit 99
dd if=/dev/zero of=/mnt/filler bs=4k 2>/dev/null
$heddle campaign --out=/mnt/c --jobs=2 --time=20s @few &
sleep 3
rm /mnt/filler
wait \$!
rc=\$?
cp -r /mnt/c $dir/full
exit \$rc
END
	($rc, $out, $err) = run('unshare', '-rm', 'sh', "$dir/full.sh");
	is $rc, 0, 'a full disk ends nothing' or diag "$out$err";
	like $err, qr/^heddle campaign: cannot write \S+: No space left on device; kept in memory.*\n.*all is written again$/m,
		'... is told once, and when it is over';
	is signatures('full'), $whole, '... and loses nothing';
	is halves('full'), '', '... nor leaves anything half written';
}
done_testing;
