#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Schedules on disk: exact replay, malformed files, drift, minimising.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

heddle('run', 'bench_vma_lock:buggy', "--out=$dir/found");
my ($file) = glob "$dir/found/*.sched";
my $text = slurp($file);
like $text, qr/\Aheddle schedule 1\nscenario bench_vma_lock:buggy\n/,
	'a schedule was saved';

# --- replay
my ($rc, $out, $err) = heddle('replay', $file, '--twice', '--check');
is $rc, 0, 'replay: as recorded, twice';
like $out, qr/as recorded\n  the same twice/, '... it says';
($rc) = heddle('replay', $file);
is $rc, 1, 'replay without --check: a verdict';

# name, edit of the text, exit status with --check, what is said
my @edited = (
	[ 'a comment', sub { s/^base/# for people\n\nbase/m }, 0,
	  qr/as recorded/ ],
	[ 'another verdict', sub { s/^verdict .*/verdict deadlock a/m }, 1,
	  qr/DIFFERENT verdicts/ ],
	[ 'another hash', sub { s/^hash .*/hash 0123456789abcdef/m }, 1,
	  qr/DIFFERENT hash/ ],
	[ 'another model build',
	  sub { s/^model .*/model 00000000deadbeef/m;
		s/^hash .*/hash 0123456789abcdef/m }, 0,
	  qr/another model build: the hash is not compared/ ],
	[ 'nothing recorded', sub { s/^verdict .*\n//m; s/^hash .*/hash -/m },
	  0, qr/nothing was recorded/ ],
	[ 'carriage returns', sub { s/\n/\r\n/g }, 0, qr/as recorded/ ],
);
for (@edited) {
	my ($name, $edit, $want, $says) = @$_;
	local $_ = $text;
	$edit->();
	($rc, $out) = heddle('replay', '--check', spew("$dir/e.sched", $_));
	ok $rc eq $want && $out =~ $says, "check: $name" or diag "$rc: $out";
}

# --- drift: the op moved, its site is found again, and replay says so
(my $moved = $text) =~ s/^switch (\S+) (\d+) /"switch $1 " . ($2 + 1) . ' '/me;
my ($task, $n) = ($1, $2 + 1);
($rc, $out, $err) = heddle('replay', '--check', spew("$dir/m.sched", $moved));
is $rc, 0, 'a moved op is found again';
like $err, qr/^\S+m\.sched:\d+: op $n of $task was .+, is now .+; moved to op /,
	'... and told';

# --- malformed: one line with file and line, exit status 2
my @bad = (
	[ 'version', sub { s/schedule 1/schedule 2/ }, 1 ],
	[ 'no version', sub { s/schedule 1/schedule/ }, 1 ],
	[ 'scenario', sub { s/bench_vma_lock/nothing/ }, 2 ],
	[ 'variant', sub { s/:buggy/:nothing/ }, 2 ],
	[ 'model', sub { s/^model ./model x/m }, 3 ],
	[ 'base', sub { s/run-to-block/luck/ }, 4 ],
	[ 'seed', sub { s/seed 0/seed 99999999999/ }, 4 ],
	[ 'task', sub { s/^switch \S+/switch nobody/m }, 6 ],
	[ 'other task', sub { s/^(switch \S+ \d+) \S+/$1 nobody/m }, 6 ],
	[ 'number', sub { s/^(switch \S+) \d+/$1 3x/m }, 6 ],
	[ 'number 0', sub { s/^(switch \S+) \d+/$1 0/m }, 6 ],
	[ 'number too large', sub { s/^(switch \S+) \d+/$1 65536/m }, 6 ],
	[ 'anchor without ordinal', sub { s/#(\d+) time/ time/ }, 6 ],
	[ 'anchor elsewhere', sub { s/ at \S+#\d+ time/ at nowhere#1 time/ }, 6 ],
	[ 'anchor too often', sub { s/ time 1 / time 77 / }, 6 ],
	[ 'anchor missing', sub { s/ at \S+#.*// }, 6 ],
	[ 'unknown line', sub { s/^switch/swatch/m }, 6 ],
	[ 'unknown verdict', sub { s/^verdict \S+/verdict sorrow/m }, undef ],
	[ 'line behind the hash', sub { $_ .= "want deadlock\n" }, undef ],
	[ 'zero byte', sub { s/ seed/\0seed/ }, 'none' ],
	[ 'empty', sub { $_ = '' }, undef ],
);
for (@bad) {
	my ($name, $edit, $line) = @$_;
	local $_ = $text;
	$edit->();
	isnt $_, $text, "malformed: $name is an edit";
	($rc, $out, $err) = heddle('replay', spew("$dir/b.sched", $_));
	my $where = !defined $line ? qr/\d+: / :
		    $line eq 'none' ? qr// : qr/$line: /;
	ok $rc eq '2' && $err =~ /^\S+b\.sched:\s?$where?[^\n]+\n\z/,
		"malformed: $name" or diag "$rc: $err";
}
my @lines = split /^/, $text;
for my $keep (0 .. $#lines) {
	my $part = join '', @lines[ 0 .. $keep - 1 ];
	($rc, $out, $err) = heddle('replay', spew("$dir/t.sched", $part));
	ok $rc eq '2' && $err =~ /^\S+t\.sched:\d+: [^\n]+\n\z/,
		"truncated after line $keep" or diag "$rc: $err";
}
for my $cut (1 .. 16) {
	my $part = substr $text, 0, length($text) - 1 - $cut;
	($rc, $out, $err) = heddle('replay', spew("$dir/t.sched", $part));
	ok $rc eq '2' && $err =~ /\A[^\n]+\n\z/, "hash cut by $cut"
		or diag "$rc: $err";
}

# --- a handler that comes is an edit of its own
heddle('run', 'timer_vs_holder:spin-lock', '--want=deadlock', "--out=$dir/irq");
my $irq = slurp((glob "$dir/irq/deadlock*.sched")[0]);
like $irq, qr/^irq holder 3 timer at fill#\d+ time 1 op read$/m,
	'an interrupt is written as one';
($rc, $out) = heddle('replay', '--check', '--twice',
	spew("$dir/i.sched", $irq));
is $rc, 0, '... and read';
like slurp((glob "$dir/irq/deadlock*.txt")[0]),
	qr/^ holder +other +timer \(irq on holder\)$/m, '... and drawn';
$irq =~ s/^(irq \S+ \d+) timer/$1 other/m;
($rc, $out, $err) = heddle('replay', spew("$dir/i.sched", $irq));
ok $rc eq '2' && $err =~ /:6: no interrupt handler: other\n\z/,
	'malformed: no handler';

# --- any bytes are a schedule
my $x = 12345;
sub draw { $x = ($x * 1103515245 + 12345) & 0x7fffffff; return $x >> 8 }
my @files;
for my $i (0 .. 999) {
	my $bytes = join '', map { chr(draw() & 255) } 1 .. draw() % 400;
	push @files, spew("$dir/r$i", $bytes);
}
for my $scenario (qw(canary_abba fault_vs_munmap:v6)) {
	($rc, $out, $err) = heddle('replay', "--scenario=$scenario", '--twice',
		@files);
	my $r = result($out);
	ok $rc eq '0' || $rc eq '1', "$scenario: 1000 random byte strings run";
	is "$r->{schedules} $r->{differences} $r->{unreadable}", '1000 0 0',
		'... all of them, the same twice';
	is $err, '', '... without a word';
}
($rc, $out, $err) = heddle('replay', $files[0]);
ok $rc eq '2' && $err =~ /--scenario/, 'bytes need --scenario';

# --- min
heddle('run', 'abba', '--want=deadlock', "--out=$dir/found");
# the switch that matters among three that do not
spew("$dir/crash", pack('CV', 0, 7) . join '', map { pack 'CCvv', @$_ }
	[ 0, 0, 4, 1 ], [ 0, 1, 2, 1 ], [ 0, 0, 900, 1 ], [ 2, 0, 1, 1 ]);
($rc, $out) = heddle('min', '--scenario=abba', '--want=deadlock',
	"$dir/crash", '-o', "$dir/min.sched");
is $rc, 0, 'a fuzzer\'s input is minimised';
is result($out)->{preemptions}, 1, '... to one preemption';
is result($out)->{proved}, 'yes', '... proved';
is slurp("$dir/min.sched"), slurp("$dir/found/deadlock-a-b.sched"),
	'... to the same file as from elsewhere';
($rc, $out) = heddle('min', $file, '-o', '-');
is $out, $text, 'the smallest schedule stays as it is (-o -: standard output)';
($rc, $out, $err) = heddle('min', $file, '-o', "$dir/none/x.sched");
ok $rc eq '2' && $err =~ /cannot write/ && $out =~ /^heddle schedule 1$/m,
	'an unwritable -o loses nothing';
($rc, $out, $err) = heddle('min', $file, '--want=deadlock');
ok $rc eq '2' && $err =~ /does not show deadlock/, 'the wanted one is not there';
($rc, $out) = heddle('min', $file, '--limit=3');
like $out, qr/not proved \(limit\)/, 'a limit is no proof';
done_testing;
