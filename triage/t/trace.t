#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# show --format=chrome and --format=ftrace: all ops of the run, each once, in
# order; locks, switches and verdicts as the JSON of the same run has them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use JSON::PP;
use Test::More;

my $golden = "$FindBin::Bin/../golden";
my ($rc, $out, $err);

# --- golden
for my $format (qw(chrome ftrace)) {
	($rc, $out) = heddle('show', "--format=$format", "$golden/uaf-rcu.sched");
	spew("$golden/uaf-rcu.$format", $out) if $ENV{UPDATE};
	is $out, slurp("$golden/uaf-rcu.$format"), "uaf-rcu as $format";
}

# --- any run
sub same {
	my ($got, $want, $what) = @_;
	is join("\n", @$got), join("\n", @$want), $what;
}

# Slices of a thread do not overlap: Perfetto would not draw them.
sub overlaps {
	my %end;
	my @bad;

	for (@_) {
		push @bad, $_->{name} if $_->{ts} < ($end{ $_->{tid} } // 0);
		$end{ $_->{tid} } = $_->{ts} + $_->{dur};
	}
	return \@bad;
}

sub check_flows {
	my ($events, $slices, $j, $name) = @_;
	my %start = map { ($_->{id} => $_) } grep { $_->{ph} eq 's' } @$events;
	my @end = grep { $_->{ph} eq 'f' } @$events;
	my @bad;

	for my $end (@end) {
		my $start = delete $start{ $end->{id} } // { ts => -1, tid => 0 };
		for my $e ($start, $end) {
			push @bad, $end->{id} unless grep { $_->{tid} == $e->{tid} &&
				$_->{ts} <= $e->{ts} && $e->{ts} < $_->{ts} + 1 } @$slices;
		}
	}
	same(\@bad, [], "$name: arrows lead from slice to slice");
	same([keys %start], [], '... and end');
	is scalar(grep { $_->{name} eq 'preempted' } @end), $j->{preemptions},
		'... and preemptions are called that';
}

sub check_locks {
	my ($events, $name) = @_;
	my %open;
	my @bad;

	for (sort { $a->{ts} <=> $b->{ts} || $b->{ph} cmp $a->{ph} }
	     grep { $_->{cat} && $_->{cat} eq 'lock' } @$events) {
		if ($_->{ph} eq 'b') {
			push @bad, $_->{name} if $open{ $_->{id} };
			$open{ $_->{id} } = $_;
			next;
		}
		my $b = delete $open{ $_->{id} };
		push @bad, $_->{name}
			unless $b && $b->{name} eq $_->{name} && $b->{ts} < $_->{ts};
	}
	same(\@bad, [], "$name: locks begin and end");
	same([keys %open], [], '... all of them');
}

sub check_chrome {
	my ($file, $j, $ops, $name) = @_;
	($rc, $out) = heddle('show', '--format=chrome', $file);
	my $events = decode_json($out)->{traceEvents};
	my %thread = map { ($_->{tid} => $_->{args}{name}) }
		grep { $_->{name} eq 'thread_name' } @$events;
	my @slices = grep { $_->{ph} eq 'X' } @$events;

	same([map { "$_->{ts} $thread{ $_->{tid} } $_->{args}{n}" } @slices],
		[map { "$_->{step} $_->{task} $_->{n}" } @$ops],
		"$name: each op is a slice of its thread");
	same(overlaps(@slices), [], '... none over another');
	same([map { $_->{name} } grep { $_->{cat} && $_->{cat} eq 'verdict' } @$events],
		[map { $_->{title} } @{ $j->{verdicts} }], '... verdicts');
	check_flows($events, \@slices, $j, $name);
	check_locks($events, $name);
}

my $line = qr/^ *(\S.*)-(\d+) +\[(\d{3})\] ([dDb.])\.([hsH.])\.\. +(\d+)\.(\d{6}): (\w+): (.*)$/;

sub check_ftrace {
	my ($file, $j, $ops, $name) = @_;
	($rc, $out) = heddle('show', '--format=ftrace', $file);
	my @lines = split /\n/, $out;
	my @head = grep { /^#/ } @lines;
	my @bad = grep { !/^#/ && !/$line/ } @lines;
	my @events = map { [/$line/] } grep { !/^#/ } @lines;
	my @at = map { "$_->[5]$_->[6]" + 0 } @events;

	is $head[0], '# tracer: nop', "$name: header";
	ok scalar(grep { /simulated time/ } @head), '... says that it is simulated';
	same(\@bad, [], '... each line has its columns');
	same([grep { $at[$_ - 1] > $at[$_] } 1 .. $#at], [], '... time grows');
	my @op = grep { $_->[7] eq 'heddle_op' } @events;
	same([map { my ($n) = $_->[8] =~ /^n=(\d+)/; ($_->[6] + 0) . " $_->[0] $n" } @op],
		[map { "$_->{step} $_->{task} $_->{n}" } @$ops], '... each op');
	same([map { $_->[8] } grep { $_->[7] eq 'heddle_verdict' } @events],
		[map { $_->{title} } sort { $a->{step} <=> $b->{step} } @{ $j->{verdicts} }],
		'... verdicts');
	is scalar(grep { $_->[7] eq 'heddle_switch' && $_->[8] =~ /\(preempted\)$/ } @events),
		$j->{preemptions}, '... preemptions';
	for my $what (qw(acquire release)) {
		is scalar(grep { $_->[7] eq "lock_$what" } @events),
			scalar(grep { $_->{kind} eq "lockdep-$what" && $_->{task} ne 'end check' }
				@{ $j->{events} }), "... each lock_$what";
	}
}

my @files = (glob("$golden/*.sched"), map { glob "corpus/regress/$_/min.sched" } qw(
	fault_vs_munmap.v6/held-at-user* timer_vs_holder.softirq/*
	fault_vs_munmap.v6/leak*));
for my $file (@files) {
	my (undef, $json) = heddle('show', '--format=json', $file);
	my $j = decode_json($json);
	my @ops = grep { $_->{flags} && $_->{task} ne 'end check' } @{ $j->{events} };
	(my $name = $file) =~ s{.*?/([^/]+(?:/[^/]+)?)(?:/min)?\.sched$}{$1};

	check_chrome($file, $j, \@ops, $name);
	check_ftrace($file, $j, \@ops, $name);
}

# --- locks over time
sub tracks {
	my ($file) = @_;
	my (undef, $out) = heddle('show', '--format=chrome', $file);
	my %from;
	my @tracks;

	for (@{ decode_json($out)->{traceEvents} }) {
		$from{ $_->{id} } = $_->{ts} if $_->{ph} eq 'b';
		push @tracks, "$_->{name} $from{ $_->{id} }-$_->{ts}" if $_->{ph} eq 'e';
	}
	return [sort @tracks];
}
same(tracks("$golden/abba-deadlock.sched"), ['first holds a (W) 5-18',
	'first waits for b (W) 14-18', 'second holds b (W) 9-18',
	'second waits for a (W) 12-18'], 'who holds and who waits');
same(tracks("$golden/uaf-rcu.sched"), ['reader holds rcu_read_lock (RR) 4-15'],
	'from the op that takes to the op that gives back');

my ($long) = glob 'corpus/regress/uffd_move_vs_mprotect.lokesh-posted-munmap/*vm_flags/min.sched';
same([grep { /mmap_lock/ } @{ tracks($long) }], ['move holds mmap_lock (R) 289-342',
	'move holds mmap_lock (R) 459-479', 'move waits for mmap_lock (R) 443-459',
	'writer holds mmap_lock (R) 563-649', 'writer holds mmap_lock (W) 352-456',
	'writer holds mmap_lock (W) 487-564', 'writer waits for mmap_lock (W) 458-487'],
	'waits that end, and downgrades');

# --- contexts: a hardirq on its host's CPU; interrupts off
my $irq = "$golden/lockdep-irq-chain.irq-inversion-inner-spin.sched";
my (undef, $text) = heddle('show', '--format=ftrace', $irq);
like $text, qr/^ +irq-3 +\[000\] \S\.h\.\. .*spin_lock spin/m, 'a handler is in hardirq, on the CPU of first';
like $text, qr/^ +second-2 +\[001\] d\.\.\.\. .*spin_lock inner/m, 'interrupts are off';

# --- wrong usage
for my $format (qw(chrome ftrace)) {
	($rc, $out, $err) = heddle('show', "--format=$format", 'abba');
	ok $rc eq '2' && $err =~ /\A[^\n]+ is for a saved schedule[^\n]+\n\z/,
		"a scenario has no $format";
}

done_testing;
