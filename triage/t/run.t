#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# heddle run and heddle explore: results, exit statuses, saving.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

# --- run
my ($rc, $out, $err) = heddle('run', 'abba:buggy', '--want=deadlock');
my $r = result($out);
is $rc, 1, 'a verdict is exit status 1';
is $r->{scenario}, 'abba:buggy', 'the last line names the scenario';
like $r->{signatures}, qr/\bdeadlock:a:b\b/, '... and the signature';
is $r->{first}, $r->{schedules}, '... and where the search stopped';
like $out, qr/proved minimal: 0 preemptions exhausted/, 'minimised and proved';
like $out, qr/^circular a b +\d+ times, first in schedule \d+$/m,
	'other verdicts are counted and listed';
unlike $out, qr/\e/, 'no colour in a file';
is $err, '', 'no progress in a file';
my ($rc2, $out2) = heddle('run', 'abba:buggy', '--want=deadlock');
s/seconds=\S+|\d+ ms//g for my ($a, $b) = ($out, $out2);
is $a, $b, 'the same again';

($rc, $out) = heddle('run', 'abba:fixed', '--schedules=500');
$r = result($out);
is "$rc $r->{schedules} $r->{verdicts} $r->{complete}", '0 500 0 no',
	'clean: exit status 0, and never complete';
like $out, qr/not a proof/, '... and it says so';

for my $strategy (qw(hold eager urw pos surw random reluctant pct portfolio)) {
	($rc) = heddle('run', 'bench_vma_lock:buggy', "--strategy=$strategy");
	is $rc, 1, "$strategy finds workload (c)";
}
($rc) = heddle('run', 'timer_vs_holder:softirq', '--want=deadlock',
	'--strategy=urw', '--schedules=200');
is $rc, 1, 'to urw, where a handler comes is a choice';
($rc, $out) = heddle('run', 'abba', '--strategy=run-to-block',
	'--want=deadlock', '--schedules=10');
is $rc, 0, 'run-to-block cannot show the deadlock';

($rc, $out) = heddle('run', 'abba', '--want=deadlock', '--seeds=5');
is $rc, 1, 'a table over seeds';
like $out, qr{^$_ +\d+ +\d+ +[\d.]+ +5/5$}m, "... with $_"
	for qw(rf hold eager urw pos surw random reluctant pct portfolio);

# --- several verdicts
($rc, $out) = heddle('run', 'abba:buggy', '--want=livelock,deadlock');
is $rc, 1, 'one of several verdicts is wanted';
like $out, qr/^heddle: deadlock/, '... and reported';
($rc, $out, $err) = heddle('run', 'abba:buggy', '--want=deadlock,luck');
ok $rc == 2 && $err =~ /no verdict is called luck/, '... each is checked';

# --- saving
($rc, $out) = heddle('run', 'abba', '--keep-going', '--schedules=200',
	"--out=$dir/found");
is $rc, 1, 'keep going';
is result($out)->{schedules}, 200, '... to the end';
for my $name (qw(circular-a-b deadlock-a-b)) {
	ok -s "$dir/found/$name.sched" && -s "$dir/found/$name.txt",
		"... $name is saved, with its report";
}
is_deeply [ glob "$dir/found/*.tmp" ], [], '... nothing is left behind';
my $mine = slurp("$dir/found/circular-a-b.sched");
heddle('run', 'bench_abba', '--want=circular', "--out=$dir/found");
is slurp("$dir/found/circular-a-b.sched"), $mine,
	'a finding of another scenario overwrites nothing';

spew("$dir/file", '');
($rc, $out, $err) = heddle('run', 'abba', "--out=$dir/file");
is $rc, 2, 'an unwritable folder is exit status 2';
like $err, qr/^heddle: cannot write \S+: [^\n]+\n\z/, '... one line says why';
like $out, qr/^heddle schedule 1\nscenario abba:buggy\n/m,
	'... and nothing is lost: the schedule is on standard output';

# --- explore
($rc, $out) = heddle('explore', 'abba:buggy', '--preemptions=2');
is $rc, 1, 'explore: a verdict';
like $out, qr/^0 preemptions: circular a b \(NEW\)/m, 'lockdep needs no luck';
like $out, qr/^1 preemption: deadlock a b \(NEW\)/m, 'the deadlock needs one';
like $out, qr/^2 preemptions: nothing new/m, 'and that is all';
like $out, qr/verdicts=2 complete=yes bound=2 .*expected=yes/, 'as declared';

($rc, $out) = heddle('explore', 'abba:fixed');
is $rc, 0, 'explore: clean and complete';
like $out, qr/verdicts=0 complete=yes bound=none .*goals=1\/1/, '... it says';
like $out, qr/^complete: no violation in any interleaving of this model$/m,
	'... in this model';
like $out, qr/^relative to: sequential consistency/m, '... and relative to what';

($rc, $out) = heddle('explore', 'abba:fixed', '--max-schedules=2');
is $rc, 3, 'explore: incomplete without a verdict';
like $out, qr/verdicts=0 complete=no/, '... it says';
like $out, qr/^incomplete: stopped at --max-schedules$/m, '... and why';

($rc, $out) = heddle('explore', 'abba', '--want=deadlock', '--preemptions=9',
	"--out=$dir/ex");
is $rc, 1, 'explore stops at the wanted verdict';
is result($out)->{bound}, 1, '... at its number of preemptions';
ok -s "$dir/ex/deadlock-a-b.sched", '... and saves the witness';
($rc) = heddle('explore', 'abba', '--preemptions=0', '--want=deadlock');
is $rc, 0, 'the wanted verdict is not there without a preemption';
for my $v ('abba:buggy', 'abba:fixed', 'canary_abba') {
	($rc) = heddle('explore', $v, '--preemptions=2', '--check');
	is $rc, 0, "$v is as declared";
}
# --- lockdep beyond one run, and beyond the kernel's search
($rc, $out) = heddle('run', 'lockdep_reports:either', '--schedules=200');
is $rc, 0, 'no run has both orders';
($rc, $out) = heddle(qw(run lockdep_reports:either --lockdep=boot),
	"--out=$dir/boot");
is $rc, 1, '--lockdep=boot: all runs together have';
like $out, qr/^lockdep over all runs: possible circular .*: b, a$/m,
	'... the report';
like $out, qr/^  b --> a  first in schedule \d+, by \w+ with seed \d+$/m,
	'... cites a schedule for each order';
my @orders = glob "$dir/boot/order-*.sched";
is scalar @orders, 2, '... and saves it';
($rc, $out) = heddle(qw(replay --twice), @orders);
is $rc, 0, '... each of which is clean alone';
is result($out)->{differences}, 0, '... and replays';

($rc, $out) = heddle(qw(explore lockdep_reports:hidden --preemptions=0));
is $rc, 0, "the kernel's search is silent";
($rc, $out) = heddle(qw(explore lockdep_reports:hidden --preemptions=0
	--lockdep=exact), "--out=$dir/exact");
is $rc, 1, '--lockdep=exact is not';
like $out, qr/^circular a c +0 preemptions/m, '... and names the cycle';
like $out, qr/judged by the exact rules/, '... and says by which rules';
my ($exact) = glob "$dir/exact/circular*.sched";
($rc) = heddle(qw(replay --check), $exact);
is $rc, 1, 'its schedule is another matter by the kernel\'s rules';
($rc) = heddle(qw(replay --check --lockdep=exact), $exact);
is $rc, 0, '... and as recorded by the exact ones';
($rc, $out) = heddle(qw(show --lockdep=exact), $exact);
like $out, qr/^it can deadlock here, with 1 preemption$/m,
	'... whose report has the witness';
for ([qw(explore abba --lockdep=boot)], [qw(run abba --lockdep=lax)],
     ['show', '--lockdep=lax', $exact]) {
	($rc, $out, $err) = heddle(@$_);
	ok $rc eq '2' && $err =~ /\A[^\n]*--lockdep=\w+[^\n]*\n\z/,
		"@$_[0] $$_[-1]: usage";
}
done_testing;
