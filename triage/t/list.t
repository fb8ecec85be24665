#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What is there, and how does the command answer wrong usage?
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use JSON::PP;
use Test::More;

my ($rc, $out, $err) = heddle('list');
is $rc, 0, 'list ends well';
like $out, qr/^abba: .*\n  :buggy .* circular 0, deadlock 1$/m,
	'a scenario, its variant and what it is expected to show';
like $out, qr/\A== seed 00\d: /, 'the mails come first';
like $out, qr/^== seed 004: \[PATCH v6 10\/16\] .*\n   .*\n\nfault_vs_munmap: /m,
	'... with their titles, and the scenario that has the questions';
like $out, qr/^  :v10 +6\.15 +vm_refcnt v10 .* clean$/m,
	'... and the kernel of a variant';
like $out, qr/^== canaries.*\n\ncanary_abba: .*^== yardsticks.*\n\nbench_/ms,
	'canaries and yardsticks come last';
my @long = grep { length > 80 } split /\n/, $out;
cmp_ok scalar(@long), '<=', 5, 'nearly all in 80 columns' or diag "@long";

($rc, $out) = heddle('list', '--json');
my %s = map { $_->{name} => $_ } @{ decode_json($out) };
is_deeply $s{abba}{variants}[0]{expect},
	[ { verdict => 'circular', preemptions => 0 },
	  { verdict => 'deadlock', preemptions => 1 } ], 'the same in JSON';

is_deeply $s{timer_vs_holder}{tasks}[2],
	{ name => 'timer', handler => 'hardirq', on => 'holder' },
	'an interrupt handler in JSON';

($rc, $out) = heddle('list', '--verdicts');
like $out, qr/^held-at-user +lock held when returning to user space$/m,
	'the names of verdicts';

for my $verb (qw(list run explore diff fuzz replay min show dedup lockdep new
		mutate)) {
	($rc, $out, $err) = heddle($verb, '--help');
	ok $rc eq '0' && $out =~ /^usage: \S+ $verb/ && !$err, "$verb --help";
}
($rc, $out) = heddle('--help');
ok $rc eq '0' && $out =~ /^  explore /m, '--help lists the verbs';
($rc, $out) = heddle('--version');
ok $rc eq '0' && $out =~ /^heddle \d/, '--version';

# arguments => what the one line on stderr must name
my @wrong = (
	[ [],                                  qr/usage/ ],
	[ ['frobnicate'],                      qr/frobnicate/ ],
	[ ['list', 'abba'],                    qr/abba/ ],
	[ ['run'],                             qr/SCENARIO/ ],
	[ ['run', 'nothing'],                  qr/nothing/ ],
	[ ['run', 'abba:nothing'],             qr/nothing/ ],
	[ ['run', 'abba', 'abba'],             qr/one SCENARIO/ ],
	[ ['run', 'abba', '--frob'],           qr/--frob/ ],
	[ ['run', 'abba', '--schedules'],      qr/--schedules/ ],
	[ ['run', 'abba', '--schedules=1x'],   qr/--schedules/ ],
	[ ['run', 'abba', '--schedules=-1'],   qr/--schedules/ ],
	[ ['run', 'abba', '--seed=4294967296'], qr/--seed/ ],
	[ ['run', 'abba', '--strategy=luck'],  qr/luck/ ],
	[ ['run', 'abba', '--want=sorrow'],    qr/sorrow/ ],
	[ ['run', 'abba', '--seeds=3'],        qr/--want/ ],
	[ ['explore', 'abba', '--weak=2'],     qr/not built yet/ ],
	[ ['explore', 'abba', '--preemptions=few'], qr/--preemptions/ ],
	[ ['explore', 'abba', '--want='],      qr/--want/ ],
	[ ['diff', 'abba:buggy'],              qr/two variants/ ],
	[ ['diff', 'nothing', 'abba'],         qr/nothing/ ],
	[ ['diff', 'abba:buggy', 'nothing'],   qr/no variant called 'nothing'/ ],
	[ ['diff', 'abba:buggy', 'abba:nothing'], qr/no variant called 'nothing'/ ],
	[ ['diff', 'abba:buggy', 'lost_wakeup'], qr/different tasks/ ],
	[ ['diff', 'abba:buggy', 'fixed', '--calls=x'], qr/x/ ],
	[ ['diff', 'abba:buggy', 'fixed', '--out=/dev/null/x'], qr{/dev/null/x} ],
	[ ['diff', 'abba:buggy', 'fixed', '--want=leak'], qr/--want/ ],
	[ ['replay'],                          qr/FILE/ ],
	[ ['replay', "$dir/nothing.sched"],    qr/nothing.sched: No such file/ ],
	[ ['replay', '--scenario=nil', 'x'],   qr/nil/ ],
	[ ['min'],                             qr/FILE/ ],
	[ ['min', 'a', 'b'],                   qr/one FILE/ ],
);
for (@wrong) {
	my ($args, $names) = @$_;
	($rc, $out, $err) = heddle(@$args);
	ok $rc eq '2' && $err =~ $names && (!@$args || $err !~ /\n./),
		"usage: heddle @$args" or diag "$rc: $err";
}
done_testing;
