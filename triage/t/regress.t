#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# heddle regress, heddle bisect, and the replay of a whole corpus.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $corpus = 'corpus/regress';
my $deadlock = "$corpus/abba.buggy/deadlock-a-b/min.sched";
my $at_user = "$corpus/fault_vs_munmap.v6/held-at-user-vm_lock/min.sched";

# The saved schedule, edited.
sub changed {
	my ($file, $edit) = @_;
	local $_ = slurp($file);
	$edit->();
	return spew("$dir/changed.sched", $_);
}

# --- regress
my ($rc, $out, $err) = heddle('regress', $deadlock, "--dir=$dir/r/e");
is $rc, 0, 'regress makes the folders and writes' or diag $err;
my $at = "$dir/r/e/abba.buggy/deadlock-a-b";
is slurp("$at/min.sched"), slurp($deadlock), '... the schedule';
like slurp("$at/report.txt"), qr/^heddle: deadlock: a, b/, '... and the mail';
($rc, $out, $err) = heddle('regress', $deadlock, "--dir=$dir/r/e");
ok $rc == 2 && $err =~ /is there already \(--replace\)/, 'what is there stays';
($rc) = heddle('regress', $deadlock, "--dir=$dir/r/e", '--replace');
is $rc, 0, '... unless told otherwise';
($rc) = heddle('regress', $deadlock, "--dir=$dir/r", '--want=circular');
is $rc, 0, 'another verdict of the run';
my $other = slurp("$dir/r/abba.buggy/circular-a-b/min.sched");
like $other, qr/^want circular a b$/m, '... is what the file wants';
unlike $other, qr/^proof/m, '... and the proof was not about it';
($rc, $out, $err) = heddle('regress', $deadlock, "--dir=$dir/r", '--want=leak');
ok $rc == 1 && $err =~ /does not show leak/, 'a verdict that it does not show';
($rc, $out, $err) = heddle('regress', $deadlock, '--dir=/dev/null/x');
ok $rc == 2 && $err =~ m{cannot write /dev/null}, 'no folder can be made';
($rc) = heddle('regress');
is $rc, 2, 'no file';
is scalar(my @tmp = glob "$dir/r/*/*/*.tmp"), 0, 'nothing half written';

# --- a corpus
($rc, $out) = heddle(qw(replay --twice --check), "$dir/r");
my $r = result($out);
is "$rc $r->{schedules} $r->{differences}", '0 2 0', 'a folder is replayed';
my @order = $out =~ /^(\S+): abba/mg;
is_deeply \@order, [sort @order], '... by name';
spew("$at/min.sched", slurp($deadlock) =~ s/^hash ./hash x/mr);
($rc, $out, $err) = heddle(qw(replay --check), "$dir/r");
ok $rc == 2 && $err =~ m{/min.sched:\d+: } && result($out)->{schedules} == 1,
	'a broken file in it is told of, the others are replayed';
mkdir "$dir/empty";
($rc, $out, $err) = heddle(qw(replay --check), "$dir/empty");
ok $rc == 2 && $err =~ /no \.sched file in/, 'an empty one is no corpus';

# --- bisect
($rc, $out) = heddle('bisect', $deadlock);
ok $rc == 1 && $out =~ /^bad: the schedule shows deadlock a b$/m,
	'the bug is there: 1';
($rc, $out) = heddle('bisect', changed($deadlock, sub { s/abba:buggy/abba:fixed/ }));
ok $rc == 0 && $out =~ /^good: no interleaving with at most 1 preemption shows /m,
	'... is not: 0' or diag $out;
is result($out)->{complete}, 'yes', '... as a search says';
($rc, $out, $err) = heddle('bisect',
	changed($at_user, sub { s/fault_vs_munmap:v6/fault_vs_munmap:v10/ }));
ok $rc == 0 && $err =~ /the task is never at/ &&
	$out =~ /^good: .* at most 3 preemptions/m,
	'a place that is no more: all is searched' or diag $out, $err;
# v10-late-release has the bug as well, at other places
($rc, $out, $err) = heddle('bisect',
	changed($at_user, sub { s/fault_vs_munmap:v6/fault_vs_munmap:v10-late-release/ }));
ok $rc == 1 && $out =~ /^bad: (another schedule|a search) shows held-at-user/m,
	'... and the bug is found elsewhere' or diag $out, $err;
($rc, $out) = heddle('bisect', '--schedules=0', '--limit=1',
	changed($deadlock, sub { s/abba:buggy/abba:fixed/ }));
ok $rc == 125 && $out =~ /^skip: /m, 'not all was tried: 125';
($rc) = heddle('bisect', changed($deadlock, sub { s/abba:buggy/nix:buggy/ }));
is $rc, 125, 'no such scenario in this build: 125';
($rc) = heddle('bisect', "$dir/nix");
is $rc, 128, 'no such file: git must stop';
($rc) = heddle('bisect');
is $rc, 128, '... as without one';

done_testing;
