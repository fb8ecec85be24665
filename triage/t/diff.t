#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Does diff find the classes that one variant has and another one has not, and does
# it say why?  (triage/cmd_diff.c, diff_runs.c, diff_classes.c, diff_groups.c,
# diff_words.c; diff.c has the variants that are counted by hand.)
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use FindBin;
use lib $FindBin::Bin;
my $heddle;
BEGIN { $ENV{HEDDLE} = $heddle = abs_path($ENV{HEDDLE} // 'build/heddle') }
use Heddle;
use Test::More;

my ($rc, $out, $err, $r);

# "common changed removed added" of the last line
sub numbers {
	$r = result($out);
	return join ' ', @{$r}{qw(common changed removed added)};
}

# --- abba: the two tasks one after the other, either first; and, with opposite
# orders, the deadlock, in which nobody gets his second lock.  lockdep's report
# comes in the first two as well.
($rc, $out, $err) = heddle('diff', 'abba:buggy', 'fixed');
is "$rc " . numbers(), '1 2 2 1 0', 'abba: the deadlock is gone';
like $out, qr/^common: 2 classes\nchanged: 2 classes of these, where only buggy shows circular\n  1\. 2 classes: whatever comes first\n     all show circular\n     witness: /m,
	'... and a verdict in what is left';
like $out, qr/^removed: 1 class that only buggy has\n  1\. 1 class: without first's mutex_lock b\n     shows circular, deadlock\n     witness: switch first \d second$/m,
	'... with a lock that is never taken, and the way there';
like $out, qr/^added: no class\nverdicts only in buggy: circular a b, deadlock a b\ncomplete: /m,
	'... and the verdicts that are gone';
is "$r->{'verdicts-removed'} $r->{'verdicts-added'} $r->{complete} $r->{bound}",
	'2 0 yes none', '... as in the last line';
is $err, '', '... and nothing on stderr';
($rc, $out) = heddle('diff', 'abba:fixed', 'abba:buggy');
is "$rc " . numbers(), '1 2 2 0 1', 'the other way round';
($rc, $out) = heddle('diff', 'abba:buggy', 'buggy');
is "$rc " . numbers(), '0 3 0 0 0', 'a variant and itself';
like $out, qr/^removed: no class\nadded: no class\nverdicts in both: circular a b, deadlock a b$/m,
	'... which differ in nothing';

# --- bench_lost_update.  The noise and the two increments of count only add, and come
# in any order.  The reader loads count (R), loads the flag (F), and stores count (S) in
# buggy where F saw the flag, else increments it (I); the writer sets the flag,
# increments count (J), and clears the flag.
# So I is in conflict with nothing, and S is not in fixed: neither is compared.
#   F before set: R comes before J then, 1 class.  F behind clear: R before J or behind
# it, 2.  F between: R before or behind, 2; buggy has one interleaving more here, as S
# can come before J or behind it if R is before.  J is lost if R is before J and S
# behind it: one class.
($rc, $out) = heddle('diff', 'bench_lost_update:buggy', 'fixed');
is "$rc " . numbers(), '1 5 1 0 0', 'an update that is lost';
like $out, qr/^buggy: 6 interleavings, 5 classes by that order\nfixed: 5 interleavings, 5 classes/m,
	'... of few classes: additions commute';
like $out, qr/^  1\. 1 class: reader's read count before writer's inc\n     and writer's 1st set writer before reader's read\n     and reader's read writer before writer's 2nd set\n     shows assert\n/m,
	'... which takes three facts to tell';

# --- incomplete: nothing is proved, and the status says so
($rc, $out) = heddle('diff', 'abba:buggy', 'fixed', '--max-schedules=1');
is $rc, 3, 'a search that is stopped is not finished';
like $out, qr/^incomplete: buggy stopped at --max-schedules\nincomplete: fixed stopped .*\n  so a class of one/m,
	'... and diff says what that means';
is result($out)->{complete}, 'no', '... as the last line does';
($rc, $out) = heddle('diff', 'bench_vma_lock:buggy', 'fixed',
	'--max-schedules=100');
like $out, qr/^removed: \d+ classes that only buggy has shown so far$/m,
	'... and each list';

# --- kernel code: order of attempts at a lock, names of objects, 80 columns
($rc, $out) = heddle('diff', 'uffd_copy_vs_writer:before', '4.3');
like $out, qr/copy's down_read_trylock mmap_lock before writer's wait in\n +down_write_killable\n +and writer's wait in down_write_killable mmap_lock before copy's 1st\n +up_read\n     shows recursive$/m,
	'a writer that waits between two read locks';
($rc, $out) = heddle('diff', 'fault_vs_munmap:v6', 'v10', '--out=' . "$dir/v6");
like $out, qr/^  \d+\. \d+ classes: munmap's spin_unlock ptl before fault's spin_lock\n     all show data-race, detached-read-lock; some/m,
	'a fault behind the unmapping';
is scalar(grep { length > 80 && !/^result:|saved:/ } split /\n/, $out), 0,
	'... in 80 columns';
my @saved = $out =~ /^     saved: (.*)$/mg;
is scalar(grep { -s } @saved), scalar(@saved), '... each group with a schedule';
cmp_ok scalar(@saved), '>=', 4, '... of both variants';
like $saved[-1], qr{/v10-not-v6-\d+\.sched$}, '... named by who has it';
($rc, $out) = heddle('replay', @saved, '--check', '--twice');
is $rc, 0, '... which replays';
my ($shown) = heddle('replay', $saved[0], '--check');
is $shown, 0, '... one by one' or diag $saved[0];

# the read lock that is given back behind the count: no order of accesses differs
($rc, $out) = heddle('diff', 'fault_vs_munmap:v10', 'v10-late-release',
	"--out=$dir/late");
like "$rc " . numbers(), qr/^1 [1-9]\d* [1-9]\d* 0 0$/, 'the same orders, other verdicts';
like $out, qr/^changed: .*\n.*\n  1\. \d+ classes: fault's dec_and_test vm_refcnt before munmap's 2nd add_not_zero\n     all show freed; some show circular, held-at-user\n/m,
	'... in which orders they come';
like slurp("$dir/late/v10-late-release-changed-1.sched"), qr/^verdict freed vm_lock$/m,
	'... with a schedule that shows it';

# --- with a bound the classes are those of fewer runs, and none is made up
my %of;
for my $k (1, 2, 'none') {
	($rc, $out) = heddle('diff', 'fault_vs_munmap:v6', 'v10', "--preemptions=$k");
	@{$of{$k}} = $out =~ /^v\S+: .*, (\d+) classes by/mg;
}
ok $of{1}[0] < $of{2}[0] && $of{2}[0] < $of{none}[0] &&
   $of{1}[1] < $of{2}[1] && $of{2}[1] < $of{none}[1], 'more preemptions, more classes'
	or diag explain \%of;

# --- and with a large one they are those of the search without: two searches that
# have nothing in common agree
for my $pair ([ 'uffd_copy_vs_writer:before', '4.3', 5 ],
	[ 'bench_vma_lock:buggy', 'fixed', 10 ]) {
	my ($a, $b, $k) = @$pair;
	($rc, $out) = heddle('diff', $a, $b);
	my $all = numbers();
	($rc, $out) = heddle('diff', $a, $b, "--preemptions=$k");
	is numbers(), $all, "$a, $b: the same with $k preemptions ($all)";
}

# --- runs of a search that started anew are forgotten
($rc, $out) = heddle('diff', 'fault_vs_merge:detach-never', 'detach-never');
like "$rc " . numbers(), qr/^0 \d+ 0 0 0$/, 'what was guessed at first is no class';

# --- what is counted by hand
my $cc = dirname($heddle) . '/heddle-cc';
if (!-x $cc) {
	done_testing;
	exit;
}
spew("$dir/diff.c", slurp("$FindBin::Bin/diff.c"));
chdir $dir or die;
is system("$cc diff.c -o own 2>&1"), 0, 'diff.c builds';
sub own { ($rc, $out, $err) = run('./own', 'diff', @_) }

# Of x and of y, w is the write, r the read; the reader has ry before rx.
# wx before wy: if rx < wx, then ry < rx < wx < wy.  So of the four combinations
# (x: w or r first) x (y: w or r first) three are left.
# wy before wx: all four are possible (the fourth: wy ry rx wx).
own('message:in-order', 'reversed');
is "$rc " . numbers(), '1 3 0 0 1', 'a message: 3 classes, and the one that must not be';
like $out, qr/^in-order: 3 interleavings, 3 classes by that order\nreversed: 4 interleavings, 4 classes/m,
	'... of each of which there is one interleaving';
like $out, qr/^  1\. 1 class: writer's WRITE_ONCE y before reader's READ_ONCE\n     and reader's READ_ONCE x before writer's WRITE_ONCE\n     witness: switch writer \d reader$/m,
	'... in which the flag is there and the message is not';
like $out, qr/^compared: the order of 4 accesses to 2 words that both have$/m,
	'... all accesses are compared';
own('message:in-order', 'reversed', '--preemptions=0');
is "$rc " . numbers(), '0 2 0 0 0', 'without a preemption: one task first, or the other';
like $out, qr/at most 0 preemptions; a class that is\n  said to be missing may need more$/m, '... which is no proof';
own('message:in-order', 'reversed', '--preemptions=1');
is "$rc " . numbers(), '1 3 0 0 1', 'with one: all';
own('message:in-order', 'again:in-order');
is "$rc " . numbers(), '0 3 0 0 0', 'another scenario with the same tasks';

# Unmarked, each of the four has the data race; marked, none.
own('message:reversed', 'plain');
is "$rc " . numbers(), '1 4 4 0 0', 'the same classes, with other verdicts';
like $out, qr/^common: 4 classes\nchanged: 4 classes of these, where only plain shows data-race\n  1\. 4 classes: whatever comes first\n/m,
	'... named';

# The reader's second look at y is nothing that reversed has.  Without it the
# classes are those four.
own('message:reversed', 'twice');
is "$rc " . numbers(), '0 4 0 0 0', 'an access that only one has is not compared';
like $out, qr/^  in conflict only in twice, so not compared: reader's 2nd READ_ONCE y$/m,
	'... and named';

# Two increments are r1 w1 and r2 w2 of one word; r1 and r2 commute.  Of the six
# interleavings, r1 r2 and r2 r1 first are the same twice: four classes.  With the
# lock two are left; the others have both reads before the other's write, and lose
# an increment.
own('counter:bare', 'locked');
is "$rc " . numbers(), '1 2 0 2 0', 'a lock: 4 classes, 2 are left';
like $out, qr/^  1\. 2 classes: (one|two)'s READ_ONCE x before (?!\1)(one|two)'s WRITE_ONCE\n     and \2's READ_ONCE x before \1's WRITE_ONCE\n     all show assert$/m,
	'... one group, in which both read first';
unlike $out, qr/^  2\./m, '... and no other';
like $out, qr/^  in conflict only in locked, so not compared: one's\s+mutex_lock\s+lock,\s+one's\s+mutex_unlock/m,
	'... the lock itself is not compared';
own('counter:bare', 'locked', '--out=saved');
like slurp('saved/bare-not-locked-1.sched'), qr/^verdict assert shared->x == 2$/m,
	'a saved schedule of the group shows what is lost';

# Waiting for a mutex is no order, wherever the attempt comes.
own('counter:locked', 'locked', '--preemptions=3');
is "$rc " . numbers(), '0 2 0 0 0', 'attempts that are in vain make no class';

# Two blind writes of x, then of y: 2 * 2 orders.  After x both orders have the
# same state, which the bounded search must not take for the same past.
own('writers:both', 'both');
is "$rc " . numbers(), '0 4 0 0 0', 'orders that leave no trace in memory';
own('writers:both', 'both', '--preemptions=2');
is "$rc " . numbers(), '0 4 0 0 0', '... with a bound as well';

# Either order, each with and without the warning.
own('writers:x', 'chooses', '--out=saved');
is "$rc " . numbers(), '1 2 2 0 0', 'a choice is no order, its verdict counts';
like slurp('saved/chooses-changed-1.sched'), qr/^verdict warn /m,
	'... and the schedule is one that shows it';
for ([ 'x', 'fails' ], [ 'fails', 'x' ]) {
	own("writers:$_->[0]", $_->[1]);
	is "$rc " . numbers(), '1 2 2 0 0', "failures as one of both declares: @$_";
}
own('writers:x', 'y');
is $rc, 3, 'nothing in common: that is no agreement';
like $out, qr/^vacuous: .*\ncomplete: .*\nresult: .* complete=vacuous /m, '... and it is told';
own('counter:locked', 'message:in-order');
is $rc, 2, 'other tasks cannot be compared';
own('message', ':reversed');
is $rc, 2, 'two scenarios: the name is needed';
done_testing;
