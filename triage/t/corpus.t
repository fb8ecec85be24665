#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Every schedule in corpus/regress replays to its recorded verdict and trace
# hash, twice, and its report is what `heddle show` prints; every seed in
# corpus/seed is a schedule that runs.  triage/make_corpus.sh makes them.
use strict;
use warnings;
use lib 'triage/t';
use Heddle;
use Test::More;

my @pinned = glob 'corpus/regress/*/*/min.sched';
cmp_ok(scalar @pinned, '>', 40, 'there are pinned schedules');
for my $f (@pinned) {
	my ($name) = $f =~ m{corpus/regress/(.*)/min\.sched};
	my ($st, $out, $err) = heddle('replay', '--twice', '--check', $f);
	is($st, 0, "$name: as recorded, twice") or diag("$out$err");
	(my $report = $f) =~ s/min\.sched$/report.txt/;
	($st, $out) = heddle('show', '--format=mail', $f);
	is($out, slurp($report), "$name: the report");
}

# What is pinned of the mail of seed 004.
my $v6 = 'corpus/regress/fault_vs_munmap.v6';
like(slurp("$v6/held-at-user-vm_lock/min.sched"),
	qr/^proof 3 preemptions: 2 exhausted/m, 'held-at-user: minimal at 3');
my $mail = slurp("$v6/mail-order-circular/report.txt");
like($mail, qr/^4 preemptions/m, 'the order of the mail: circular at 4');
like($mail, qr/vm_refcnt 2->1.*not zero: ignored.*read +vm_lock_seq = 3
	.*equal:.*vm_refcnt 1->0/sx,
	'... detach, second look, put: as it is drawn');
like(slurp("$v6/mail-order-held-at-user/report.txt"),
	qr/^5 preemptions/m, '... and as held-at-user at 5');

for my $dir (glob 'corpus/seed/*') {
	my ($scenario) = $dir =~ m{([^/]+)$};
	my @seeds = glob "$dir/*";
	my ($st, $out, $err) = heddle('replay', "--scenario=$scenario", @seeds);
	like("$st", qr/^[01]$/, "$scenario: " . @seeds . ' seeds run')
	    or diag($err);
}
done_testing();
