#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A scenario outside the tree: does what a reviewer pastes build, run, shrink
# and replay, and does what cannot be built say why?
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
plan skip_all => "$cc is not built" unless -x $cc;
spew("$dir/review_v6.c", slurp("$FindBin::Bin/review_v6.c"));
spew("$dir/review_v4.c", slurp("$FindBin::Bin/review_v4.c"));
chdir $dir or die;

# --- the frame of heddle new: builds without a word and is clean
my ($rc, $out, $err) = run($heddle, 'new', 'mine');
is $rc, 0, 'heddle new';
like $out, qr/heddle-cc mine\.c -o mine/, '... says how to go on';
my $frame = slurp('mine.c');
($rc, $out, $err) = run($heddle, 'new', 'mine');
ok $rc == 2 && slurp('mine.c') eq $frame, '... never over an existing file';
($rc, $out, $err) = run($cc, qw(mine.c -o mine --fuzz));
is "$rc$out$err", 0, 'heddle-cc';
($rc, $out) = run('./mine', 'explore');
is $rc, 0, 'the frame is clean';
my $r = result($out);
is "$r->{complete} $r->{bound} $r->{goals}", 'yes none 1/1',
	'... in every interleaving';
($rc, $out) = run('./mine', 'run', ':posted', '--schedules=200');
is result($out)->{scenario}, 'mine:posted', ':VARIANT is enough';
($rc, $out, $err) = run('./mine', 'run', ':other');
ok $rc == 2 && $err =~ m{other.*\./mine list}, '... an unknown one is named';
($rc, $out) = run('./mine', 'explore', '--help');
like $out, qr{^usage: \./mine explore \[:VARIANT\]}, 'usage: its own name';
($rc, $out) = run('./mine', 'show');
like $out, qr/^mine: /, 'show describes the only scenario';
($rc, $out) = run('./mine', 'show', 'mine');
like $out, qr/^mine: /, '... also by its name, which is that of a file';
($rc, $out) = run(qw(./mine fuzz -runs=500 -seed=1));
is "$rc " . result($out)->{schedules}, '0 500', 'its own fuzz target';

# --- the functions of a patch against ready opponents: seed 000
cmp_ok scalar(split /\n/, slurp('review_v4.c')), '<', 100, 'fewer than 100 lines';
($rc, $out, $err) = run($cc, 'review_v4.c');
is "$rc$out$err", 0, 'v4 of seed 000 and an opponent build';
for my $v (qw(two-vmas one-vma)) {
	($rc, $out) = run('./review_v4', 'run', ":$v", '--want=deadlock');
	is $rc, 1, "$v: run finds the deadlock";
	like $out, qr/^proved minimal: 0 preemptions exhausted/m,
		'... with one preemption, which is proved';
	like $out, qr/^ munmap +move\n/m, '... drawn in two columns';
	like $out, qr/^who waits for whom\n  munmap waits for vm_lock \(W\)/m,
		'... says who waits for whom';
}

# --- functions that do nothing are named
my $calls = slurp('review_v4.c');
$calls =~ s/(#include)/#include <heddle\/mm_stubs.h>\n$1/;
$calls =~ s/(\n\theddle_arena)/\n\tvm_stat_account(mm, 1, 2);$1/;
spew('calls_stub.c', $calls);
($rc, $out, $err) = run($cc, 'calls_stub.c');
is "$rc$err", "0heddle-cc: note: these do nothing here: vm_stat_account\n",
	'a stub that is called is named';

# --- the functions of a patch: seed 004
($rc, $out, $err) = run($cc, 'review_v6.c');
is "$rc$out$err", 0, 'a pasted patch builds';
($rc, $out, $err) = run(qw(./review_v6 run --want=held-at-user --out=found));
is $rc, 1, 'run finds held-at-user';
like $out, qr/^raised in fault\n.*\n  fault_task +review_v6\.c:\d+$/m,
	'... with places in the pasted file';
($rc, $out) = run(qw(./review_v6 explore --preemptions=3));
like $out, qr/^2 preemptions: data-race \S+ \S+ \S+vm_lock_seq \(NEW\) /m,
	'explore: a race at 2, nothing else';
like $out, qr/^held-at-user vm_lock +3 preemptions/m, '... held-at-user at 3';
like $out, qr/^detached-read-lock vm_area_struct +3 preemptions/m,
	'... detached-read-lock at 3';
my ($file) = glob 'found/held-at-user*.sched';
($rc, $out) = run('./review_v6', 'min', $file, qw(-o min.sched));
$r = result($out);
is "$r->{preemptions} $r->{proved}", '3 yes', 'min: 3 preemptions, proved';
($rc, $out) = run(qw(./review_v6 show --format=mail min.sched));
like $out, qr/^heddle: lock held when returning to user space: vm_lock/,
	'show';
like $out, qr{^\./review_v6 replay min\.sched$}m, '... how to replay it';
($rc, $out) = run(qw(./review_v6 replay --twice --check min.sched));
ok $rc == 0 && $out =~ /the same twice/, 'replay, twice, as recorded';

# --- what cannot be built: exit status 2, and why
sub fails {
	my ($what, $name, $text, $says) = @_;
	spew("$name.c", $text);
	my ($rc, $out, $err) = run($cc, "$name.c");
	ok $rc == 2 && $err =~ $says && !-e $name, $what
		or diag "$rc: $err";
}
(my $text = $frame) =~ s/^(\tdo_munmap)/\tvma_frob(mm);\n$1/m;
$text =~ s/^(static void setup)/void vma_frob(struct mm_struct *mm);\n$1/m;
fails('an undefined function', 'undefined', $text,
	qr/^heddle-cc: undefined\.c:\d+: vma_frob is not in heddle's model/);
($text = $frame) =~ s/^(\tdo_munmap)/\tmalloc(1);\n$1/m;
fails("a function of the C library", 'libc', "#include <stdlib.h>\n$text",
	qr/^heddle-cc: malloc is not in heddle's model/);
($text = $frame) =~ s/^(\tdo_munmap.*);/$1/m;
fails('a compile error', 'syntax', $text,
	qr/^syntax\.c:\d+:\d+: error: .*heddle-cc: syntax\.c does not compile/s);
($text = $frame) =~ s/^HEDDLE_SCENARIO.*//ms;
fails('no scenario', 'empty', $text,
	qr/no HEDDLE_SCENARIO and no main\(\) in empty\.c/);
for ([ ['nothing.c'], qr/cannot read nothing\.c/ ], [ [], qr/usage/ ],
     [ ['mine.c', '--frob'], qr/--frob/ ], [ ['mine.c', '-o'], qr/-o needs/ ],
     [ ['mine.c', '-o', 'no/such'], qr/cannot write no\/such/ ]) {
	($rc, $out, $err) = run($cc, @{$_->[0]});
	ok $rc == 2 && $err =~ $_->[1], "heddle-cc @{$_->[0]}" or diag $err;
}
($rc, $out) = run($cc, '--help');
ok $rc == 0 && $out =~ /^usage: heddle-cc/, '--help';
chdir '/';
done_testing;
