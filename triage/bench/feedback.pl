#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Does feedback pay?   make bench-feedback [SEEDS=N] [ALL=1]   (some minutes)
#
#   perl triage/bench/feedback.pl [build [SCENARIO:VARIANT...]]
#
# Of each scenario with a bug the one that random search finds hardest: the row of
# triage/t/budgets.tsv with the largest median (ALL: every row of at least 20; with
# arguments: those variants').  Medians of 20 seeds (SEEDS), at most 20,000 runs
# each: first the four ways of a fuzz target (feedback.c says what they are), then
# the portfolio and each strategy alone.
use strict;
use warnings;
use File::Basename 'dirname';
use List::Util 'sum';

my $build = shift // 'build';
my %only = map { $_ => 1 } @ARGV;
my $here = dirname($0);
my $seeds = $ENV{SEEDS} || 20;
my $most = 20000;
my @columns = qw(guided bytes blind random portfolio rf hold urw pos surw random-walk
	pct);

sub rows {
	open my $f, '<', "$here/../t/budgets.tsv" or die "budgets.tsv: $!\n";
	my (@rows, %hardest);
	while (<$f>) {
		next if /^#/;
		chomp;
		my ($target, $verdict, $median) = split /\t/;
		my $row = { target => $target, verdict => $verdict,
			median => $median =~ /^\d+$/ ? $median : 0 };
		push @rows, $row;
		my $h = \$hardest{$target =~ s/:.*//r};
		$$h = $row if !$$h || $$h->{median} < $row->{median};
	}
	return grep { $only{$_->{target}} } @rows if %only;
	return grep { $_->{median} >= 20 } @rows if $ENV{ALL};
	return grep { $_ == $hardest{$_->{target} =~ s/:.*//r} } @rows;
}

# column => [median, found]
sub measure {
	my ($row) = @_;
	my %got;
	my @ways = ("$build/t/feedback $row->{target} $row->{verdict} $seeds $most",
		"$build/heddle run $row->{target} --want=$row->{verdict} " .
		"--seeds=$seeds --schedules=$most");
	for my $i (0, 1) {
		for (`$ways[$i]`) {
			next unless /^(\S+)\s+(>?\d+)\s+>?\d+\s+[\d.-]+\s+(\d+)\/\d+$/;
			my $name = $i && $1 eq 'random' ? 'random-walk' : $1;
			$got{$name} = [ $2, $3 ];
		}
	}
	for (@columns) {
		die "$row->{target} $row->{verdict}: nothing of $_\n" if !$got{$_};
	}
	return \%got;
}

sub line {
	my ($target, $verdict, @cells) = @_;
	printf "%-37s %-17s %s | %s | %s\n", $target, $verdict, map {
		join ' ', map { sprintf '%9s', $_ } @$_ } [ @cells[0 .. 3] ],
		[ $cells[4] ], [ map { s/random-walk/random/r } @cells[5 .. $#cells] ];
}

# The last lines: geometric means of medians (not found: as if with the last run).
sub sum_up {
	my ($what, @rows) = @_;
	line($what . ' (' . @rows . ' rows)', '', map {
		my $c = $_;
		sprintf '%.1f', exp(sum(map { log($_->{$c}[0] =~ s/>//r) } @rows)
			/ @rows) } @columns) if @rows;
}

my @rows = rows() or die "no such row in budgets.tsv\n";
my @got;
$| = 1;
line('scenario:variant', 'verdict', @columns);
for my $i (0 .. $#rows) {
	my $row = $rows[$i];
	printf STDERR "\r%d of %d, %s\e[K", $i + 1, scalar @rows, $row->{target}
		if -t STDERR;
	push @got, measure($row);
	print STDERR "\r\e[K" if -t STDERR;
	line($row->{target}, $row->{verdict}, map { $got[-1]{$_}[0] } @columns);
}
sub needs { return $_[0]{portfolio}[0] =~ s/>//r }
sum_up('geometric mean', @got);
sum_up('portfolio below 100', grep { needs($_) < 100 } @got);
sum_up('100 and more', grep { needs($_) >= 100 } @got);
line('found, per cent of the trials', '', map {
	my $c = $_;
	sprintf '%.1f', 100 * sum(map { $_->{$c}[1] } @got) / @got / $seeds }
	@columns);
